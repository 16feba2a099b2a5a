"""What the log keeps of a run (`--log-file`): how each session ended, and the exit status."""

import logging

from qxbatch.events import Event, ProblemFound, RunFinished, UnitFinished
from qxbatch.problems import Severity
from qxbatch.report.after import outcome_line

log = logging.getLogger("qxbatch")


class LogObserver:
    """An observer that writes to the logger `qxbatch`, whose handlers qxbatch.cli.messages sets."""

    def notify(self, event: Event, /) -> None:
        """Log what is to be looked at, the end of a unit, and of the run."""
        if isinstance(event, UnitFinished):
            for report in event.reports:
                log.info("%s", outcome_line(report))
        elif isinstance(event, ProblemFound) and event.problem.severity is not Severity.INFO:
            log.info("%s: %s", event.problem.severity, event.problem.text())
        elif isinstance(event, RunFinished):
            log.info("exit status %d", event.status)
