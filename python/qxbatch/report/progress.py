"""What people see of a run while it works, on standard error: a display on a terminal, plain lines elsewhere."""

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from qxbatch.events import Event, UnitFinished
from qxbatch.report.after import outcome_line
from qxbatch.report.lines import Line, counts_text, display, ended
from qxbatch.report.marks import marks_for
from qxbatch.report.tally import Tally
from qxbatch.wrapping import cut, terminal_width

if TYPE_CHECKING:
    from qxbatch.report.live import LiveDisplay

DELAY_SECONDS = 0.5
"""A run that is shorter needs no display, and does not load what draws it."""
REFRESH_SECONDS = 0.25
PLAIN_SECONDS = 30.0
"""Between two lines about the whole run, where there is no terminal."""


def is_live(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether lines of a stream can be drawn over."""
    return stream.isatty() and environment.get("TERM", "dumb") not in ("", "dumb", "unknown")


class Progress:
    """An observer that counts, and shows the counts while it is entered."""

    def __init__(
        self,
        *,
        quiet: bool = False,
        list_all: bool = False,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._quiet = quiet
        self._list_all = list_all
        self._live = is_live(self._stream)
        self._marks = marks_for(self._stream)
        self._clock = clock
        self._guard = threading.Lock()
        self._tally = Tally(clock())
        self._next = clock() + PLAIN_SECONDS
        self._display: LiveDisplay | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="progress", daemon=True)

    def __enter__(self) -> "Progress":
        if not self._quiet:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if not self._quiet:
            self._thread.join()
        self._close()

    @property
    def is_working(self) -> bool:
        """Whether the thread that shows the counts is alive."""
        return self._thread.is_alive()

    def notify(self, event: Event, /) -> None:
        """Count what happened; say how a unit ended."""
        with self._guard:
            self._tally.notify(event, self._clock())
            if isinstance(event, UnitFinished) and not self._quiet:
                self._finished(event)

    def _finished(self, event: UnitFinished) -> None:
        if self._live:
            for line in ended(event.reports, self._marks, list_all=self._list_all):
                self._print(line)
            return
        view = self._tally.view(self._clock())
        outcome = "; ".join(map(outcome_line, event.reports))
        print(f"[{view.done}/{view.packets}] {outcome}", file=self._stream, flush=True)

    def _print(self, line: Line) -> None:
        if self._display is not None:
            self._display.above(line)
        else:
            text = "".join(text for text, _ in line)
            width = terminal_width(self._stream) - 1
            print(cut(text, width, self._marks.cut), file=self._stream, flush=True)

    def tick(self) -> None:
        """Show how far the run is: draw the display, or write a line if it is time for one."""
        now = self._clock()
        with self._guard:
            if self._display is None and (self._live or now < self._next):
                return
            view = self._tally.view(now)
        if self._display is not None:
            self._display.show(display(view, terminal_width(self._stream), self._marks))
            return
        while self._next <= now:
            self._next += PLAIN_SECONDS
        print(counts_text(view), file=self._stream, flush=True)

    def open(self) -> None:
        """Begin to draw. What others write to the stream is printed above the display from now on."""
        from qxbatch.report.live import LiveDisplay

        shown = LiveDisplay(self._stream, self._marks.cut)
        with self._guard:
            shown.start()
            self._display = shown
            if hasattr(self._stream, "divert"):
                self._stream.divert(shown.write_above)

    def open_or_plain(self) -> None:
        """Begin to draw; without rich, lines are printed as where there is no terminal."""
        try:
            self.open()
        except ModuleNotFoundError:
            self._live = False

    def _close(self) -> None:
        with self._guard:
            shown, self._display = self._display, None
            if shown is None:
                return
            if hasattr(self._stream, "divert"):
                self._stream.divert(None)
            shown.stop()

    def _work(self) -> None:
        """Draw until the run ends. A display that fails ends alone."""
        if self._live and self._stop.wait(DELAY_SECONDS):
            return
        try:
            if self._live:
                self.open_or_plain()
            self.tick()
            wait = REFRESH_SECONDS if self._live else PLAIN_SECONDS
            while not self._stop.wait(wait):
                self.tick()
        except Exception:  # what is shown must not lose data
            import logging

            with suppress(Exception):
                self._close()

            logging.getLogger("qxbatch").exception("The display failed and is not shown any more.")
