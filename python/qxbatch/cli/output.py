"""Standard output and standard error whose reader may leave or was never there: neither stops an import or changes its status."""

import os
import sys

from qxbatch.visible import lines

TYPE_CHECKING = False
if TYPE_CHECKING:  # --help passes here; it needs neither types nor typing
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, TextIO

_STANDARD = (0, 1, 2)


class Lasting:
    """A stream that continues without a reader, and escapes control characters. All but writing is the stream's own."""

    def __init__(self, stream: "TextIO", name: str, errors: "Lasting | None" = None) -> None:
        """`name` is what a message calls the stream; it goes to `errors`."""
        self._stream = stream
        self._name = name
        self._errors = errors
        self._above: Callable[[str], None] | None = None
        self._begun = ""
        """Of a line that goes to the display, what was written so far."""

    def write(self, text: str) -> int:
        if self._above is None:
            self.control(lines(text))
        else:
            whole, _, self._begun = f"{self._begun}{text}".rpartition("\n")
            if whole or text.startswith("\n"):
                self._above(lines(whole))
        return len(text)

    def divert(self, above: "Callable[[str], None] | None") -> None:
        """Give whole lines to a display, which prints them above itself; None ends that."""
        rest, self._begun, self._above = self._begun, "", above
        if rest:
            self.write(rest)

    def control(self, text: str) -> None:
        """Write text as it is: control sequences of a display."""
        try:
            self._stream.write(text)
        except OSError as error:
            self._without_reader(error)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._without_reader(error)

    def _without_reader(self, error: OSError) -> None:
        """Send what is still to come, and what is held back, to nowhere; say so unless the reader left by itself."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
        if self._errors is not None and not isinstance(error, BrokenPipeError):
            from qxbatch.os_error import reason_text

            self._errors.write(f"qxbatch: {self._name} is lost: {reason_text(error)}.\n")

    def __getattr__(self, name: str) -> "Any":
        return getattr(self._stream, name)


class LastingOutput:
    """Within, both streams outlive their readers, and names that are no text can be printed."""

    def __enter__(self) -> None:
        _open_closed()
        self._before = sys.stdout, sys.stderr
        for stream in self._before:
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        errors = Lasting(sys.stderr, "standard error")
        sys.stderr = errors
        sys.stdout = Lasting(sys.stdout, "standard output", errors)

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: "TracebackType | None") -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = self._before


def _open_closed() -> None:
    """Open what the caller closed (`>&-`): else a file of the session would get the number of a standard stream."""
    for number in _STANDARD:
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number is this one
    if sys.stdout is None:
        sys.stdout = _nowhere()
    if sys.stderr is None:
        sys.stderr = _nowhere()


def _nowhere() -> "TextIO":
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - open until the process ends
