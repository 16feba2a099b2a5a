"""Output that may lose its reader: an import continues, with its exit status, if nobody reads standard output or standard error."""

import os
import sys

from qxbatch.visible import visible_lines

TYPE_CHECKING = False
if TYPE_CHECKING:  # --help also loads this module, and is faster without typing
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, TextIO

_STANDARD_DESCRIPTORS = (0, 1, 2)


class LastingStream:
    """A stream that works without a reader, and escapes control characters. Everything else is passed to the stream."""

    def __init__(self, stream: "TextIO", name: str, errors: "LastingStream | None" = None) -> None:
        """Wrap a stream. Messages about it call it `name`, and are written to `errors`; without `errors`, there are none."""
        self._stream = stream
        self._name = name
        self._errors = errors
        self._print_above: Callable[[str], None] | None = None
        """Prints lines above a display; None: there is no display."""
        self._partial_line = ""
        """The beginning of a line for the display, until its end is written."""

    def write(self, text: str) -> int:
        if self._print_above is None:
            self.write_unescaped(visible_lines(text))
        else:
            complete_lines, _, self._partial_line = f"{self._partial_line}{text}".rpartition("\n")
            if complete_lines or text.startswith("\n"):
                self._print_above(visible_lines(complete_lines))
        return len(text)

    def divert(self, print_above: "Callable[[str], None] | None") -> None:
        """Pass complete lines to a display, which prints them above itself; None ends this."""
        partial_line, self._partial_line, self._print_above = self._partial_line, "", print_above
        if partial_line:
            self.write(partial_line)

    def write_unescaped(self, text: str) -> None:
        """Write text as it is, such as the control sequences of a display."""
        try:
            self._stream.write(text)
        except OSError as error:
            self._discard_output(error)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._discard_output(error)

    def _discard_output(self, error: OSError) -> None:
        """Discard buffered and later output; print a message unless the reader closed the pipe."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
        if self._errors is not None and not isinstance(error, BrokenPipeError):
            from qxbatch.os_error import reason_text

            self._errors.write(f"qxbatch: {self._name} is lost: {reason_text(error)}.\n")

    def __getattr__(self, name: str) -> "Any":
        return getattr(self._stream, name)


class LastingOutput:
    """A context in which stdout and stderr work without readers, and can print file names that are not valid text."""

    def __enter__(self) -> None:
        _open_closed_streams()
        self._streams = sys.stdout, sys.stderr
        for stream in self._streams:
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        errors = LastingStream(sys.stderr, "standard error")
        sys.stderr = errors
        sys.stdout = LastingStream(sys.stdout, "standard output", errors)

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: "TracebackType | None") -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = self._streams


def _open_closed_streams() -> None:
    """Open the standard streams that the caller closed (`>&-`): else a file of a session could get one of their descriptors."""
    for number in _STANDARD_DESCRIPTORS:
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # open() returns the lowest free number, which is `number`
    if sys.stdout is None:
        sys.stdout = _nowhere()
    if sys.stderr is None:
        sys.stderr = _nowhere()


def _nowhere() -> "TextIO":
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - open until the process ends
