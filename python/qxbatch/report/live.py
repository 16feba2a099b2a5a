"""The display on a terminal, drawn by rich."""

import threading
from collections.abc import Sequence
from typing import IO, TextIO, cast

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from qxbatch.report.lines import Line
from qxbatch.wrapping import ROWS, terminal_rows, terminal_width


class LiveDisplay:
    """Lines at the bottom of the terminal, and lines that scroll above them. The caller escapes control characters in them."""

    def __init__(self, stream: TextIO, cut_mark: str) -> None:
        """`cut_mark` ends a line that is cut."""
        self._stream = stream
        self._cut_mark = cut_mark
        self._lock = threading.RLock()
        self._widths: list[int] = []
        """Widths of the displayed lines."""
        self._console = Console(
            file=cast("IO[str]", _UnescapedStream(stream)),
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
        """Start showing lines. The cursor stays visible: a killed process could not restore it."""
        with self._lock:
            self._live.start()
            self._console.show_cursor(True)

    def show(self, lines: Sequence[Line]) -> None:
        """Replace the displayed lines."""
        with self._lock:
            self._adapt_to_width()
            texts = [self._text(line) for line in lines[: max(1, terminal_rows(self._stream) - 1)]]
            self._live.update(Group(*texts), refresh=True)
            self._widths = [text.cell_len for text in texts]
            self._move_to_margin()

    def print_above(self, line: Line) -> None:
        """Print a line above the display; a line that is too long for the terminal is cut."""
        with self._lock:
            self._adapt_to_width()
            self._console.print(self._text(line))
            self._move_to_margin()

    def write_above(self, text: str) -> None:
        """Print complete lines above the display, without cutting them."""
        with self._lock:
            self._adapt_to_width()
            self._console.print(Text(text), soft_wrap=True)
            self._move_to_margin()

    def stop(self) -> None:
        """Remove the lines."""
        with self._lock:
            self._adapt_to_width()
            self._live.stop()

    def _text(self, line: Line) -> Text:
        text = Text.assemble(*line, no_wrap=True, end="\n")
        room = self._console.width - 1
        if text.cell_len > room:
            text.truncate(room - len(self._cut_mark), overflow="crop")
            text.append(self._cut_mark)
        return text

    def _adapt_to_width(self) -> None:
        """Adapt the display to the width of the terminal: a narrower one has broken the lines into more rows than rich knows."""
        width = terminal_width(self._stream)
        if width == self._console.width:
            return
        self._console.size = (width, ROWS)
        extra_rows = sum((columns - 1) // width for columns in self._widths[:-1] if columns)
        up = f"\x1b[{extra_rows}A" if extra_rows else ""
        _UnescapedStream(self._stream).write(f"\r{up}\x1b[J")

    def _move_to_margin(self) -> None:
        """Move the cursor to the first column: the next drawing overwrites the ^C that the terminal prints there."""
        raw = _UnescapedStream(self._stream)
        raw.write("\r")
        raw.flush()


class _UnescapedStream:
    """A stream that writes control sequences, which the stream of a run escapes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.encoding = getattr(stream, "encoding", "utf-8") or "utf-8"

    def write(self, text: str) -> int:
        getattr(self._stream, "write_unescaped", self._stream.write)(text)
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()
