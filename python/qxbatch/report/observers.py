"""The observers that every run has: the terminal, the log, the JSON summary."""

from collections.abc import Sequence

from qxbatch.events import Event, Observer, Observers
from qxbatch.report.json_file import JsonFile
from qxbatch.report.log import LogObserver
from qxbatch.report.progress import Progress
from qxbatch.settings.model import Settings


class RunObservers:
    """Passes events to them, and to those that the caller adds."""

    def __init__(self, settings: Settings, more: Sequence[Observer] = ()) -> None:
        self.progress = Progress(quiet=settings.quiet, list_all=settings.list_all)
        """To be entered while the import runs."""
        self.json_file = JsonFile(settings.json_file)
        self._all = Observers([LogObserver(), self.progress, self.json_file, *more])

    def notify(self, event: Event, /) -> None:
        """Tell all observers."""
        self._all.notify(event)
