"""Shows the progress of a run on standard error: a display on a terminal, plain lines elsewhere."""

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from qxbatch.events import Event, UnitFinished
from qxbatch.report.lines import Line, counts_text, display, end_lines
from qxbatch.report.marks import marks_for
from qxbatch.report.outcome import outcome_line
from qxbatch.report.tally import Tally
from qxbatch.wrapping import cut, terminal_width

if TYPE_CHECKING:
    from qxbatch.report.live import LiveDisplay

DELAY_SECONDS = 0.5
"""Seconds until the display starts: a shorter run does not load rich."""
REFRESH_SECONDS = 0.25
"""Seconds between two updates of the display."""
PLAIN_SECONDS = 30.0
"""Seconds between two lines about the progress, if there is no display."""


def is_live(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether lines on a stream can be overwritten."""
    return stream.isatty() and environment.get("TERM", "dumb") not in ("", "dumb", "unknown")


class Progress:
    """An observer that counts events, and shows the counts inside its context."""

    def __init__(
        self,
        *,
        quiet: bool = False,
        list_all: bool = False,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """With `quiet`, nothing is shown. `clock` returns seconds.

        On a terminal, the end of a session without problems is shown only with `list_all`.
        """
        self._stream = sys.stderr if stream is None else stream
        self._quiet = quiet
        self._list_all = list_all
        self._is_live = is_live(self._stream)
        self._marks = marks_for(self._stream)
        self._clock = clock
        self._guard = threading.Lock()
        self._tally = Tally(clock())
        self._next_line_at = clock() + PLAIN_SECONDS
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
        """Return whether the thread that shows the counts is alive."""
        return self._thread.is_alive()

    def notify(self, event: Event, /) -> None:
        """Count an event; print how a unit ended."""
        with self._guard:
            self._tally.notify(event, self._clock())
            if isinstance(event, UnitFinished) and not self._quiet:
                self._print_outcome(event)

    def _print_outcome(self, event: UnitFinished) -> None:
        if self._is_live:
            for line in end_lines(event.reports, self._marks, list_all=self._list_all):
                self._print(line)
            return
        progress = self._tally.run_progress(self._clock())
        outcome = "; ".join(map(outcome_line, event.reports))
        print(f"[{progress.ended_count}/{progress.unit_count}] {outcome}", file=self._stream, flush=True)

    def _print(self, line: Line) -> None:
        if self._display is not None:
            self._display.print_above(line)
        else:
            text = "".join(text for text, _ in line)
            width = terminal_width(self._stream) - 1
            print(cut(text, width, self._marks.cut), file=self._stream, flush=True)

    def tick(self) -> None:
        """Show the progress: draw the display, or print a line if it is due."""
        now = self._clock()
        with self._guard:
            if self._display is None and (self._is_live or now < self._next_line_at):
                return
            progress = self._tally.run_progress(now)
        if self._display is not None:
            self._display.show(display(progress, terminal_width(self._stream), self._marks))
            return
        while self._next_line_at <= now:
            self._next_line_at += PLAIN_SECONDS
        print(counts_text(progress), file=self._stream, flush=True)

    def open(self) -> None:
        """Start drawing. From now on, other output to the stream is printed above the display."""
        from qxbatch.report.live import LiveDisplay

        live = LiveDisplay(self._stream, self._marks.cut)
        with self._guard:
            live.start()
            self._display = live
            if hasattr(self._stream, "divert"):
                self._stream.divert(live.write_above)

    def open_or_plain(self) -> None:
        """Start drawing; without rich, print plain lines as without a terminal."""
        try:
            self.open()
        except ModuleNotFoundError:
            self._is_live = False

    def _close(self) -> None:
        with self._guard:
            live, self._display = self._display, None
            if live is None:
                return
            if hasattr(self._stream, "divert"):
                self._stream.divert(None)
            live.stop()

    def _work(self) -> None:
        """Draw until the run ends. If the display fails, the run continues without it."""
        if self._is_live and self._stop.wait(DELAY_SECONDS):
            return
        try:
            if self._is_live:
                self.open_or_plain()
            self.tick()
            wait = REFRESH_SECONDS if self._is_live else PLAIN_SECONDS
            while not self._stop.wait(wait):
                self.tick()
        except Exception:  # a failing display must not lose data
            import logging

            with suppress(Exception):
                self._close()

            logging.getLogger("qxbatch").exception("The display failed; the run continues without it.")
