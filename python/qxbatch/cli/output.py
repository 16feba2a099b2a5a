"""Standard output whose reader may leave: `qxbatch ... | head` must neither stop an import nor change its status."""

import os
import sys
from types import TracebackType
from typing import Any, TextIO, cast

from qxbatch.os_error import reason_text


class _Lasting:
    """A stream that goes on without a reader. All but writing is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError as error:
            self._without_reader(error)
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._without_reader(error)

    def _without_reader(self, error: OSError) -> None:
        """Send what is still to come, and what is held back, to nowhere; say so unless the reader left by itself."""
        if not isinstance(error, BrokenPipeError):
            print(f"qxbatch: standard output is lost: {reason_text(error)}.", file=sys.stderr)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class LastingOutput:
    """Within, standard output outlives its reader, and names that are no text can be printed."""

    def __enter__(self) -> None:
        self._before = sys.stdout
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        sys.stdout = cast("TextIO", _Lasting(self._before))

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        sys.stdout.flush()
        sys.stdout = self._before
