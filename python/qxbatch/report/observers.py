"""The observers that every run has: the terminal, the log, the JSON summary."""

import time
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from qxbatch.events import CandidateFound, Event, Observer, Observers
from qxbatch.model import Candidate
from qxbatch.report.json_file import JsonSummaryObserver
from qxbatch.report.log import LogObserver
from qxbatch.report.output_files import check_outputs
from qxbatch.report.packet_names import PacketNames
from qxbatch.settings.model import Settings

if TYPE_CHECKING:  # a run that imports nothing does not load it
    from qxbatch.report.progress import Progress


class RunObservers:
    """Passes events to the log, the JSON summary, the display once `progress` was used, and the observers of the caller, `more`.

    With --json-file, raises UsageError if --json-file or --log-file would change data: callers other than the
    command line (`refuse_harm` in cli/harm.py) have not checked it.
    """

    def __init__(self, settings: Settings, more: Sequence[Observer] = ()) -> None:
        self._settings = settings
        if settings.json_file is not None:
            check_outputs(settings)
        self._names = PacketNames(settings)
        self.json_file = JsonSummaryObserver(settings, self._names)
        self._all = Observers([LogObserver(settings, self._names), self.json_file, *more])
        self._began = time.monotonic()

    @cached_property
    def progress(self) -> "Progress":
        """Return the display, which the caller enters as a context for the import. From the first use on, it receives events."""
        from qxbatch.report.progress import Progress

        progress = Progress(quiet=self._settings.quiet, list_all=self._settings.list_all)
        self._all.add(progress)
        return progress

    @property
    def seconds(self) -> float:
        """Return the seconds since this object was created."""
        return time.monotonic() - self._began

    def notify_candidates(self, candidates: Sequence[Candidate]) -> None:
        """Notify all observers of the candidates, once all their names are known: the text about one can name others."""
        for candidate in candidates:
            self._names.add(candidate)
        for candidate in candidates:
            self.notify(CandidateFound(candidate))

    def notify(self, event: Event, /) -> None:
        """Notify all observers."""
        self._all.notify(event)
