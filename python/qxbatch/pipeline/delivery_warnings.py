"""Warnings about what a finished session replaced, and about packets that are not archived as asked."""

from collections.abc import Sequence
from pathlib import Path

from qxbatch.archive.decision import Facts, Reason, decide
from qxbatch.discover.units import Unit
from qxbatch.ingest.patients import other_patient
from qxbatch.pipeline.delivery_problems import moved_not_deleted
from qxbatch.pipeline.linked import kept_in_place
from qxbatch.pipeline.produce import Product
from qxbatch.problems import Problem
from qxbatch.record.job import Job
from qxbatch.session.folder import SessionFolder


def replaced_patients(sessionsfolder: Path, job: Job, products: Sequence[Product]) -> dict[str, Problem]:
    """Return a warning for each session that is about to replace one of another patient, by session id."""
    warnings = {}
    for product in products:
        session = product.sorted_session.session.id
        summary = SessionFolder(sessionsfolder / session).readable_summary
        if summary is None:
            continue
        series = product.sorted_session.series
        problem = other_patient(summary.session.patient, series, session, anonymous=job.deidentified)
        if problem is not None:
            warnings[session] = problem
    return warnings


def archiving_warnings(facts: Facts, unit: Unit) -> list[Problem]:
    """Return a warning if packets are left in place because their folder is a link, or are moved instead of deleted."""
    reason = decide(facts).reason
    if reason is Reason.BEHIND_LINK:
        return [kept_in_place(facts, unit)]
    if reason not in (Reason.SERIES_FAILED, Reason.SURROUNDED, Reason.CONTAINS_LINKS):
        return []
    return [moved_not_deleted(unit.names, reason)]
