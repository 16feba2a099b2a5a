"""The display on a terminal, drawn by rich. This module is imported only where there is a terminal and work."""

import threading
from collections.abc import Sequence
from typing import IO, TextIO, cast

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from qxbatch.report.lines import Line
from qxbatch.wrapping import ROWS, terminal_rows, terminal_width


class LiveDisplay:
    """Lines that stay at the bottom, and others that scroll above them. All texts were made visible before."""

    def __init__(self, stream: TextIO, mark: str) -> None:
        """`mark` ends a line that is cut."""
        self._stream = stream
        self._mark = mark
        self._lock = threading.RLock()
        self._widths: list[int] = []
        """Of the lines that are shown."""
        self._console = Console(
            file=cast("IO[str]", _Raw(stream)),
            force_terminal=True,
            force_interactive=True,
            highlight=False,
            markup=False,
            emoji=False,
            width=80,
            height=ROWS,
        )
        self._live = Live(
            Text(""),
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )

    def start(self) -> None:
        """Begin to show lines. The cursor stays visible: a process that is killed cannot bring it back."""
        with self._lock:
            self._live.start()
            self._console.show_cursor(True)

    def show(self, lines: Sequence[Line]) -> None:
        """Show these lines in place of those before."""
        with self._lock:
            self._fit()
            texts = [self._text(line) for line in lines[: max(1, terminal_rows(self._stream) - 1)]]
            self._live.update(Group(*texts), refresh=True)
            self._widths = [text.cell_len for text in texts]
            self._to_margin()

    def above(self, line: Line) -> None:
        """Print a line above; what is too long for the terminal is cut."""
        with self._lock:
            self._fit()
            self._console.print(self._text(line))
            self._to_margin()

    def write_above(self, text: str) -> None:
        """Print whole lines above as they are, however long they are."""
        with self._lock:
            self._fit()
            self._console.print(Text(text), soft_wrap=True)
            self._to_margin()

    def stop(self) -> None:
        """Remove the lines."""
        with self._lock:
            self._fit()
            self._live.stop()

    def _text(self, line: Line) -> Text:
        text = Text.assemble(*line, no_wrap=True, end="\n")
        room = self._console.width - 1
        if text.cell_len > room:
            text.truncate(room - len(self._mark), overflow="crop")
            text.append(self._mark)
        return text

    def _fit(self) -> None:
        """Follow the width of the terminal. Where it became narrower, it broke the lines into more than rich knows of."""
        width = terminal_width(self._stream)
        if width == self._console.width:
            return
        self._console.size = (width, ROWS)
        more = sum((columns - 1) // width for columns in self._widths[:-1] if columns)
        up = f"\x1b[{more}A" if more else ""
        _Raw(self._stream).write(f"\r{up}\x1b[J")

    def _to_margin(self) -> None:
        """Leave the cursor at the margin: the ^C that the terminal writes there is drawn over."""
        raw = _Raw(self._stream)
        raw.write("\r")
        raw.flush()


class _Raw:
    """A stream to which control sequences are written; that of a run escapes those of other texts."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.encoding = getattr(stream, "encoding", "utf-8") or "utf-8"

    def write(self, text: str) -> int:
        getattr(self._stream, "control", self._stream.write)(text)
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()
