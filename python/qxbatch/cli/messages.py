"""Messages of a run: warnings on stderr, and all messages in the file of --log-file."""

import contextlib
import logging
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path

from qxbatch.exits import ExitStatus
from qxbatch.os_error import reason_text
from qxbatch.problems import UsageError
from qxbatch.textfile import open_without_waiting
from qxbatch.visible import visible_lines

LOGGER_NAME = "qxbatch"
"""The name of the logger of all messages of a run."""


def set_up_messages(quiet: bool, log_file: Path | None, notes: Sequence[str]) -> None:
    """Send warnings and errors of the logger `qxbatch` to stderr, and all its messages to the log file.

    `notes` say how the request was interpreted; they are logged, and printed unless `quiet`.

    Raises UsageError when the log file cannot be written.
    """
    logger = logging.getLogger(LOGGER_NAME)
    for old in list(logger.handlers):
        logger.removeHandler(old)
        with contextlib.suppress(OSError, ValueError):  # the reader of a FIFO may have ended
            old.close()
    logger.setLevel(logging.INFO)
    logger.propagate = False
    screen = logging.StreamHandler(sys.stderr)
    screen.setLevel(logging.WARNING)
    screen.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(screen)
    if log_file is not None:
        logger.addHandler(_file_handler(log_file))
    for note in notes:
        logger.info(note)
        if not quiet:
            print(note, file=sys.stderr)


def _file_handler(path: Path) -> logging.Handler:
    """Return the handler of the log file. Raises UsageError (exit status 73) when it cannot be written."""
    try:
        handler = _LogFile(path, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UsageError(
            f"--log-file={path} cannot be written: {reason_text(error, path)}.",
            "Name a file in a folder that can be written.",
            ExitStatus.CANNOT_WRITE,
        ) from None
    handler.setFormatter(_EscapingFormatter("%(asctime)s %(levelname)s %(message)s"))
    return handler


class _LogFile(logging.FileHandler):
    """The handler of --log-file. If a line cannot be written, one message says so, and the run continues."""

    _has_failed = False

    def _open(self) -> TextIOWrapper:
        file = open(self.baseFilename, "ab", opener=open_without_waiting)  # noqa: SIM115 - it stays open
        return TextIOWrapper(file, encoding=self.encoding, errors=self.errors)

    def handleError(self, _record: logging.LogRecord) -> None:  # noqa: N802 - of logging
        """Print why a line was not written, once."""
        error = sys.exc_info()[1]
        if self._has_failed or sys.stderr is None:
            return
        self._has_failed = True
        reason = reason_text(error, self.baseFilename) if isinstance(error, OSError) else str(error)
        with contextlib.suppress(OSError, ValueError):
            print(f"--log-file={self.baseFilename} lacks lines: {reason}. The run continues.", file=sys.stderr)


class _EscapingFormatter(logging.Formatter):
    """Escapes control characters: they must not act on the terminal of a reader."""

    def format(self, record: logging.LogRecord) -> str:
        return visible_lines(super().format(record))
