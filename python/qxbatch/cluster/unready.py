"""Writes the states of units of a task that were not ready: finished or refused before, or no longer in the inbox.

A unit is the packets of one session.
"""

from qxbatch.cluster.observer import StateWriter
from qxbatch.cluster.state import FINAL
from qxbatch.discover.existing import existing_clause
from qxbatch.model import Candidate, Report, Verdict
from qxbatch.settings.model import Settings


def write_unready_states(report: Report, writer: StateWriter, settings: Settings) -> None:
    """Write the states of units without a ready packet."""
    # the report of an interrupted import that this run continued names no unit
    recovered = {
        session.session.id: session for session in report.sessions if session.session is not None and not session.unit
    }
    by_packet = {candidate.path.name: candidate for candidate in report.candidates}
    for unit, state in list(writer.states.items()):
        candidates = [by_packet[name] for name in state.packets if name in by_packet]
        if state.state in FINAL or any(candidate.verdict is Verdict.READY for candidate in candidates):
            continue
        if unit in recovered:
            writer.write_result(unit, [recovered[unit]])
        elif candidates:
            _write_by_verdict(writer, unit, candidates[0])
        elif existing_clause(settings, unit):
            writer.write_done(unit, "its session existed already")
        else:
            writer.write_failed(unit, "its packet is not in the inbox any more, and it has no session.")


def _write_by_verdict(writer: StateWriter, unit: str, candidate: Candidate) -> None:
    if candidate.verdict is Verdict.ALREADY_THERE:
        writer.write_done(unit, "its session existed already")
    elif candidate.problem is not None:
        writer.write_failed(unit, f"{candidate.problem.message} {candidate.problem.hint}".strip(), candidate.problem)
    else:
        writer.write_failed(unit, f"{candidate.verdict}{f': {candidate.note}' if candidate.note else ''}")
