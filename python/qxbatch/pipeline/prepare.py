"""Prepares the job of a unit (packets that are imported together): reads and checks its sources, and plans its sessions."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from qxbatch.discover.units import Unit
from qxbatch.ingest.assemble import SortedSession, assemble
from qxbatch.ingest.identities import member_path_redaction, redaction_of
from qxbatch.ingest.patients import SessionPlan, plan_sessions
from qxbatch.ingest.sources import UnitSources, inbox_sources, opened_archives, packet_sources, sorted_sources
from qxbatch.pipeline.check_reading import check_reading
from qxbatch.pipeline.context import Context
from qxbatch.pipeline.hashing import start_hashing
from qxbatch.pipeline.inbox_files import archives_in_folders
from qxbatch.pipeline.previous import read_previous_session
from qxbatch.pipeline.read import read_sources
from qxbatch.record.job import Job
from qxbatch.record.previous import PreviousSession
from qxbatch.settings.model import JoinSeries, Stages


def read_job(context: Context, unit: Unit, scratch: Path) -> Job:
    """Read a unit's sources into scratch; return its job.

    Raises PacketError when a packet changed, or the records of the existing session cannot be used; UsageError when a folder
    cannot be listed; OSError when a packet cannot be read or scratch cannot be written; and CancelledError.
    """
    unit_sources = _sources(context, unit)
    reading = read_sources(context, unit, unit_sources.sources, scratch)
    folder = context.workspace.sessionsfolder / unit.name
    previous = read_previous_session(folder) if unit.folder_mode else PreviousSession()
    deidentified = context.settings.deidentified or previous.deidentified
    archivable = opened_archives(reading, unit_sources.archivable_packets) if unit.folder_mode else unit.packets
    return Job(
        unit,
        unit_sources.sources,
        reading,
        archivable,
        archives_in_folders(reading, unit, context.monitor),
        previous,
        deidentified,
        redaction_of(reading, unit.name, deidentified=deidentified),
        member_path_redaction(reading, deidentified=deidentified),
        monitor=context.monitor,
    )


def _sources(context: Context, unit: Unit) -> UnitSources:
    if unit.session_inbox is None:
        return UnitSources(packet_sources(unit.packets), unit.packets)
    dicom = context.workspace.session_paths(unit.name).dicom
    if context.settings.stages is Stages.CONVERT:
        return UnitSources(tuple(sorted_sources(dicom)), ())
    return inbox_sources(unit.session_inbox, dicom if context.settings.overwrite else None)


def plan_job(context: Context, job: Job) -> tuple[Job, Sequence[SessionPlan]]:
    """Check the reading and assign each patient's series to a session; return the job with its problems, and the plans.

    Raises PacketError if the unit must not be imported, OSError if a PAR cannot be read or as `check_reading`, and CancelledError.
    """
    settings, unit = context.settings, job.unit
    problems, left_out = check_reading(job.reading, unit, context)
    plans, mixed_problems = plan_sessions(
        job.reading, unit.session, settings.on_mixed, unit.label, deidentified=job.deidentified
    )
    patients = {plan.session.id: "" if job.deidentified else plan.patient for plan in plans} if len(plans) > 1 else {}
    return replace(job, problems=(*problems, *mixed_problems), left_out=left_out, patients=patients), plans


def place_files(
    context: Context, job: Job, plans: Sequence[SessionPlan], scratch: Path
) -> tuple[Job, list[tuple[SortedSession, Path]]]:
    """Give every file its final name; return the job, and the sorted sessions with the folders of their files.

    This starts to hash the packets that are files, since their content was accepted. Raises OSError.
    """
    roots = {plan.session.id: scratch / f"{k}" for k, plan in enumerate(plans)}
    sorted_sessions = assemble(
        job.reading,
        plans,
        roots,
        deidentified=job.deidentified,
        inbox=None if job.is_split else job.unit.session_inbox,
        join=context.settings.join_series is JoinSeries.AUTO,
    )
    sessions_with_roots = [(sorted_session, roots[sorted_session.session.id]) for sorted_session in sorted_sessions]
    return replace(job, hashes=start_hashing(context, job.archivable_packets)), sessions_with_roots
