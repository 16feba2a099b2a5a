"""Writes the study level (page and tables of the study) in the dependent job, which starts when all arrays have ended."""

import sys

from qxbatch.cluster.record import candidates_of, report_of
from qxbatch.cluster.state import ImportState
from qxbatch.cluster.status import readable_states
from qxbatch.cluster.submission import Submission
from qxbatch.exits import ExitStatus
from qxbatch.model import Report
from qxbatch.pipeline.interrupted import remove_stale_locks
from qxbatch.pipeline.refresh import refresh_study
from qxbatch.settings.model import Settings
from qxbatch.visible import one_line


def write_study_level(submission: Submission, settings: Settings) -> int:
    """Write the study level, remove locks of killed tasks, and print how many units have each state; return exit status 0."""
    unreadable: list[str] = []
    states = readable_states(submission, unreadable)
    sessions = tuple(report_of(state, settings.sessionsfolder) for state in states)
    refresh_study(settings, Report(tuple(candidates_of(submission.record)), sessions), sessions_changed=True)
    remove_stale_locks(settings.sessionsfolder)
    for reason in unreadable:
        print(one_line(reason), file=sys.stderr)
    counts = {state: sum(unit.state is state for unit in states) for state in ImportState}
    print(", ".join(f"{number} {state}" for state, number in counts.items() if number))
    return int(ExitStatus.OK)
