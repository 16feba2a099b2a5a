"""The file that --password-file names: a password on each line."""

import errno
from pathlib import Path

from qxbatch.named_file import read_file_or_pipe
from qxbatch.os_error import reason_text
from qxbatch.problems import UsageError
from qxbatch.settings.model import Passwords
from qxbatch.settings.paths import absolute_path

MAX_BYTES = 1 << 20
"""Bytes of the largest file; a larger one was named by mistake."""
_BOM = b"\xef\xbb\xbf"


def read_passwords(text: str) -> Passwords:
    """Return the passwords in the order of the file; a repeated one is used once. `text` is the value of --password-file.

    Blanks are part of a password; the line end (`\\n` or `\\r\\n`) and a UTF-8 byte order mark before the first line are not.
    Empty lines are ignored. Raises UsageError.
    """
    option = "--password-file"
    path = absolute_path(option, text)
    words = tuple(dict.fromkeys(filter(None, _lines(option, path))))
    if not words:
        raise UsageError(f"{option}={path} contains no password.", "Write each password on a separate line.")
    return Passwords(path, words)


def passwords_for_core(passwords: Passwords | None) -> tuple[bytes, ...]:
    """Return the passwords as the core takes them; empty without --password-file."""
    return passwords.words if passwords else ()


def _lines(option: str, path: Path) -> list[bytes]:
    try:
        data = read_file_or_pipe(path, MAX_BYTES)
    except OSError as error:
        hint = "Name a file with a password on each line."
        if error.errno == errno.EFBIG:
            raise UsageError(
                f"{option}={path} has more than {MAX_BYTES} bytes: that is not a list of passwords.", hint
            ) from None
        raise UsageError(f"{option}={path} cannot be read: {reason_text(error, path)}.", hint) from None
    return [line.removesuffix(b"\r") for line in data.removeprefix(_BOM).split(b"\n")]
