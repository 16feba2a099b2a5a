"""Replaces the import of a task: writes the same state files and imports nothing."""

import sys
from pathlib import Path

from qxbatch.cluster.observer import StateWriter
from qxbatch.cluster.submission import open_submission
from qxbatch.events import CandidateFound, UnitFinished, UnitStarted
from qxbatch.model import Candidate, SessionId, SessionReport, Verdict


def main(folder: str, submission: str, task: str) -> None:
    """Write the states of a task's units."""
    submission_record = open_submission(Path(folder), submission)
    round_number, _, name = task.partition("/")
    if not name.isdecimal():
        return
    states = [submission_record.state(unit) for unit in submission_record.task(int(round_number), int(name))]
    writer = StateWriter(submission_record, states, "stand-in")
    for state in states:
        for packet in state.packets:
            writer.notify(CandidateFound(Candidate(Path(packet), Verdict.READY)))
        writer.notify(UnitStarted(state.name, state.size))
        report = SessionReport(state.packets[0], SessionId(state.name), Path(folder) / state.name)
        writer.notify(UnitFinished(state.name, (report,)))


if __name__ == "__main__":
    main(*sys.argv[1:])
