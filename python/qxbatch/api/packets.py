"""`qxbatch.import_packets`: an import, as the command `qxbatch` does it."""

import logging
import os
from dataclasses import dataclass
from typing import Unpack

from qxbatch.cli.start import check_request, prepare_sessionsfolder
from qxbatch.events import Event, RunFinished
from qxbatch.exits import ExitStatus
from qxbatch.model import Candidate, Report, SessionReport
from qxbatch.pipeline.run import run
from qxbatch.settings.import_parameters import ImportParameters
from qxbatch.settings.keywords import parameter_texts
from qxbatch.settings.parse import parse


@dataclass(frozen=True)
class ImportResult:
    """The result of an import."""

    status: ExitStatus
    """The exit status of the command `qxbatch` for this import."""
    found: tuple[Candidate, ...]
    """The entries of the inbox, or in folder mode (`masterinbox="none"`) the session folders, each with its verdict."""
    sessions: tuple[SessionReport, ...]
    """The result of each session."""

    @property
    def ok(self) -> bool:
        """Return whether the import succeeded: the exit status is 0."""
        return self.status is ExitStatus.OK


def import_packets(sessionsfolder: str | os.PathLike[str], /, **parameters: Unpack[ImportParameters]) -> ImportResult:
    """Import the packets in `<sessionsfolder>/inbox/MR`, or in `masterinbox`; if that is "none", in the inbox of each session.

    Parameters have the names and defaults of the command line. A list may be a Python list, and yes and no may be True and False.
    The report is printed; with `quiet=True`, only warnings and errors are printed.

    Raises TypeError for an unknown parameter or a value of a wrong type, UsageError for a wrong request before a packet is
    imported, OSError, and KeyboardInterrupt. After the last two, the next import finishes or clears what this one left.
    """
    values = {**parameter_texts(parameters), "sessionsfolder": os.fspath(sessionsfolder)}
    settings, notes = parse(values)
    check_request(settings)
    for note in notes:
        logging.getLogger("qxbatch").info(note)
    prepare_sessionsfolder(settings)
    observer = _ReportObserver()
    status = ExitStatus(run(settings, observers=[observer]))
    return ImportResult(status, observer.report.candidates, observer.report.sessions)


class _ReportObserver:
    """An observer that keeps the report of the run."""

    def __init__(self) -> None:
        self.report = Report()

    def notify(self, event: Event, /) -> None:
        """Keep the report."""
        if isinstance(event, RunFinished):
            self.report = event.report
