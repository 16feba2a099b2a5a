"""Imports all ready packets of a run."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from qxbatch.deidentify import Redact
from qxbatch.discover.units import units_of
from qxbatch.events import Observer
from qxbatch.model import Candidate, Report
from qxbatch.pipeline.parallel_units import import_units
from qxbatch.pipeline.refresh import refresh_study
from qxbatch.pipeline.run_resources import opened_context
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.model import Settings


def import_ready(
    settings: Settings,
    workspace: Workspace,
    locks: Locks,
    ready: Sequence[Candidate],
    report: Report,
    observer: Observer,
) -> Report:
    """Import the ready packets; return the whole run's report, in which the names of imported packets are redacted.

    `report` is that of the steps before: the recovery and the discovery. Raises UsageError as `opened_context`, and
    KeyboardInterrupt when the run is stopped.
    """
    try:
        with finished_import(settings, workspace, locks, ready, report, observer) as final_report:
            # before the folder `.qxbatch` is removed: after a kill, the next run sees the folder and does this
            refresh_study(settings, final_report)
    except KeyboardInterrupt:
        refresh_study(settings, report, sessions_changed=True)
        raise
    return final_report


@contextmanager
def finished_import(
    settings: Settings,
    workspace: Workspace,
    locks: Locks,
    ready: Sequence[Candidate],
    report: Report,
    observer: Observer,
) -> Iterator[Report]:
    """Import the ready packets; yield the report as `import_ready` returns it. The folder `.qxbatch` is removed after the block."""
    units = units_of(ready, folder_mode=settings.masterinbox is None)
    with opened_context(settings, units, observer, workspace, locks) as context:
        results = import_units(context, units)
        redact_of_session = {result.unit.name: result.redact for result in results}
        sessions = (session for result in results for session in result.reports)
        candidates = tuple(_redacted_candidate(candidate, redact_of_session) for candidate in report.candidates)
        yield Report(candidates, (*report.sessions, *sessions))


def _redacted_candidate(candidate: Candidate, redact_of_session: Mapping[str, Redact]) -> Candidate:
    """Return a candidate whose path, packet name and note are redacted, since a packet name may contain the patient's name.

    A candidate whose session was not imported is returned as it is.
    """
    if candidate.session is None or candidate.packet is None or candidate.session.id not in redact_of_session:
        return candidate
    redact_text = redact_of_session[candidate.session.id]
    packet = replace(candidate.packet, packet_name=redact_text(candidate.packet.packet_name))
    path = candidate.path.with_name(redact_text(candidate.path.name))
    return replace(candidate, path=path, packet=packet, note=redact_text(candidate.note))
