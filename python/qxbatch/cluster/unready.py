"""Writes the states of units of a task that were not ready: finished or refused before, or no longer in the inbox.

A unit is the packets of one session.
"""

from qxbatch.cluster.observer import StateWriter, reason_of_candidate
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
    for number, state in list(writer.states.items()):
        if state.state in FINAL or writer.has_ready_packet(state):
            continue
        candidates = writer.candidates_of(state)
        if state.name in recovered:
            writer.write_result(number, [recovered[state.name]])
        elif candidates:
            _write_by_verdict(writer, number, candidates[0])
        elif existing_clause(settings, state.name):
            writer.write_done(number, "its session existed already")
        else:
            writer.write_failed(number, "its packet is not in the inbox any more, and it has no session.")


def _write_by_verdict(writer: StateWriter, number: int, candidate: Candidate) -> None:
    if candidate.verdict is Verdict.ALREADY_THERE:
        writer.write_done(number, "its session existed already")
    else:
        writer.write_failed(number, reason_of_candidate(candidate), candidate.problem)
