"""The live display: one line on a terminal, plain lines elsewhere, all on stderr."""

import sys
import threading
import time
from types import TracebackType
from typing import TextIO

from qxbatch.core import Monitor

REFRESH_SECONDS = 0.2


class Progress:
    """Counts packets and series; on a terminal a thread redraws the line."""

    def __init__(self, packets: int, monitor: Monitor, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self._packets = packets
        self._monitor = monitor
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

    def stage(self, unit: str, stage: str) -> None:
        """Say what is done with a unit now."""
        with self._guard:
            self._stages[unit] = stage

    def series(self, found: int) -> None:
        """Count series that are to be converted."""
        with self._guard:
            self._series += found

    def series_done(self) -> None:
        """Count a series that is converted and packed."""
        with self._guard:
            self._series_done += 1

    def finished(self, unit: str, line: str, *, failed: bool) -> None:
        """Say how a unit ended."""
        with self._guard:
            self._stages.pop(unit, None)
            self._done += 1
            self._failed += failed
            if self._quiet:
                return
            if self._live:
                self._clear()
            print(f"[{self._done}/{self._packets}] {line}", file=self._stream, flush=True)

    def line(self) -> str:
        """Return the display's line: `2 of 40 packets, 31 of 52 series, 1 failed, 0:12 | OP3 converting`."""
        with self._guard:
            seconds = int(time.monotonic() - self._started)
            parts = [
                f"{self._done} of {self._packets} packets",
                f"{self._series_done} of {self._series} series",
                f"{self._monitor.files} files, {self._monitor.bytes / 1e6:.0f} MB read",
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
                self._stream.write(f"\r\x1b[2K{text}")
                self._stream.flush()

    def _clear(self) -> None:
        self._stream.write("\r\x1b[2K")
        self._stream.flush()
