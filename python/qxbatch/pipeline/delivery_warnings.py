"""Warnings about sessions that an import replaces or no longer makes, and about packets that are not archived as requested."""

import re
from collections.abc import Sequence
from pathlib import Path

from qxbatch.archive.decision import ArchivingFacts, Reason, decide_archiving
from qxbatch.discover.listing import names_in
from qxbatch.discover.units import Unit
from qxbatch.ingest.patients import other_patient_warning
from qxbatch.pipeline.delivery_problems import moved_packet_warning
from qxbatch.pipeline.linked_inboxes import linked_folder_warning
from qxbatch.pipeline.other_packet import split_source
from qxbatch.pipeline.produce import Product
from qxbatch.problems import Code, Problem, Severity
from qxbatch.record.job import Job
from qxbatch.session.contents import is_imported
from qxbatch.session.folder import SessionFolder


def replaced_patient_warnings(sessionsfolder: Path, job: Job, products: Sequence[Product]) -> dict[str, Problem]:
    """Return a warning for each session that is about to replace one of another patient, by session id."""
    warnings = {}
    for product in products:
        session = product.sorted_session.session.id
        summary = SessionFolder(sessionsfolder / session).readable_summary
        if summary is None:
            continue
        series = product.sorted_session.series
        problem = other_patient_warning(summary.session.patient, series, session, deidentified=job.deidentified)
        if problem is not None:
            warnings[session] = problem
    return warnings


def stale_session_warnings(sessionsfolder: Path, job: Job, products: Sequence[Product]) -> list[Problem]:
    """Return a warning if an earlier import of a unit made sessions that this import does not make; else an empty list.

    This happens if the packet or an option changed between the two imports. The sessions that count are those that the unit was
    split into. In inbox mode, the session with the unit's own id counts too, if this import splits the unit. Raises UsageError if
    the sessions folder cannot be listed.
    """
    unit = job.unit
    new_sessions = {product.sorted_session.session.id for product in products}
    stale = [name for name in _split_session_ids(sessionsfolder, unit.name) if name not in new_sessions]
    if not unit.folder_mode and unit.name not in new_sessions and is_imported(sessionsfolder / unit.name):
        stale = [unit.name, *stale]
    if not stale:
        return []
    sessions = f"session{'s' * (len(stale) > 1)} {', '.join(stale)}"
    message = (
        f"an earlier import of {unit.name} made {sessions}, and this one did not: the same data can be in two sessions."
    )
    hint = "Compare with the new sessions, and move away what is not needed."
    return [Problem(Code.REPLACED_PATIENT, unit.label, message, hint, Severity.WARNING)]


def _split_session_ids(sessionsfolder: Path, unit: str) -> list[str]:
    """Return the ids of sessions that an earlier import split from a unit, by their summaries, in the order of their numbers."""
    start = f"{unit}-"
    numbers = [name.removeprefix(start) for name in names_in(sessionsfolder) if name.startswith(start)]
    names = [f"{start}{k}" for k in sorted(int(number) for number in numbers if re.fullmatch("[1-9][0-9]*", number))]
    return [name for name in names if split_source(sessionsfolder / name) == unit]


def archiving_warnings(facts: ArchivingFacts, unit: Unit) -> list[Problem]:
    """Return a warning if packets stay in place because a link leads to their folder, or are moved instead of deleted."""
    reason = decide_archiving(facts).reason
    if reason is Reason.BEHIND_LINK:
        return [linked_folder_warning(facts, unit)]
    if reason not in (Reason.SERIES_FAILED, Reason.EXTRA_BYTES, Reason.EXTERNAL_LINKS):
        return []
    return [moved_packet_warning(unit.label, reason)]
