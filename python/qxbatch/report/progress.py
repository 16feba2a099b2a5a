"""The live display: one line on a terminal, plain lines elsewhere, all on stderr."""

import sys
import threading
import time
from types import TracebackType
from typing import TextIO

from qxbatch.events import (
    Event,
    MembersRead,
    RunStarted,
    SeriesConverted,
    StageStarted,
    UnitCancelled,
    UnitFinished,
)
from qxbatch.report.after import failed, outcome_line
from qxbatch.visible import one_line

REFRESH_SECONDS = 0.2


class Progress:
    """An observer that counts packets and series; on a terminal a thread redraws the line."""

    def __init__(self, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self._packets = self._files = self._bytes = 0
        self._stream = sys.stderr if stream is None else stream
        self._quiet = quiet
        self._live = not quiet and self._stream.isatty()
        self._guard = threading.Lock()
        self._stages: dict[str, str] = {}
        self._done = self._failed = self._series = self._series_done = 0
        self._started = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._redraw, name="progress", daemon=True)

    def __enter__(self) -> "Progress":
        if self._live:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._live:
            self._thread.join()
            self._clear()

    def notify(self, event: Event, /) -> None:
        """Count what happened; say how a unit ended."""
        with self._guard:
            match event:
                case RunStarted():
                    self._packets = event.units
                case StageStarted():
                    self._stages[event.unit] = event.stage
                case MembersRead():
                    self._files, self._bytes = event.files, event.size
                case SeriesConverted(done=0):
                    self._series += event.found
                case SeriesConverted():
                    self._series_done += 1
                case UnitCancelled():
                    self._stages.pop(event.unit, None)
                case UnitFinished():
                    self._finished(event)
                case _:
                    pass

    def _finished(self, event: UnitFinished) -> None:
        self._stages.pop(event.unit, None)
        self._done += 1
        self._failed += any(map(failed, event.reports))
        if self._quiet:
            return
        if self._live:
            self._clear()
        line = "; ".join(map(outcome_line, event.reports))
        print(f"[{self._done}/{self._packets}] {line}", file=self._stream, flush=True)

    def line(self) -> str:
        """Return the display's line: `2 of 40 packets, 31 of 52 series, 1 failed, 0:12 | OP3 converting`."""
        with self._guard:
            seconds = int(time.monotonic() - self._started)
            parts = [
                f"{self._done} of {self._packets} packets",
                f"{self._series_done} of {self._series} series",
                f"{self._files} files, {self._bytes / 1e6:.0f} MB read",
            ]
            if self._failed:
                parts.append(f"{self._failed} failed")
            now = "; ".join(f"{unit} {stage}" for unit, stage in self._stages.items())
            return f"{', '.join(parts)}, {seconds // 60}:{seconds % 60:02} | {now}"

    def _redraw(self) -> None:
        import shutil

        while not self._stop.wait(REFRESH_SECONDS):
            width = shutil.get_terminal_size().columns - 1
            text = self.line()[:width]
            with self._guard:
                self._control(f"\r\x1b[2K{one_line(text)}")

    def _clear(self) -> None:
        self._control("\r\x1b[2K")

    def _control(self, text: str) -> None:
        """Write a control sequence; the stream of a run escapes those of other texts."""
        getattr(self._stream, "control", self._stream.write)(text)
        self._stream.flush()
