"""Access to files and folders of qxbatch that other users may have replaced: links and special files are refused."""

import errno
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

from qxbatch.visible import shell_word

MOST_BYTES_IN_MEMORY = 1 << 26
"""A longer file is not read into memory as a whole."""


class LinkError(OSError):
    """A path that qxbatch writes to or reads is a link."""

    def __init__(self, path: Path) -> None:
        reason = "is a link, and qxbatch does not change the target of a link; remove the link"
        super().__init__(errno.ELOOP, reason, str(path))


class InTheWayError(OSError):
    """A file or folder that qxbatch did not write has a name that it needs; the message contains the command that removes it."""

    def __init__(self, path: Path, what: str) -> None:
        command = f"rm {'-r ' if path.is_dir() else ''}-- {shell_word(str(path))}"
        super().__init__(errno.EEXIST, f"is {what} (look at it, then remove it: `{command}`)", str(path))


def entry_exists(path: Path) -> bool:
    """Return whether a file, a folder or a link, even a broken one, has this path. Raises OSError if that cannot be known.

    In that case, for example after a network error, os.path.lexists returns False. Nothing may be removed because of that.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def entry_may_exist(path: Path) -> bool:
    """Return whether a file, a folder or a link, even a broken one, has this path; True also if that cannot be known."""
    try:
        return entry_exists(path)
    except OSError:
        return True


def refuse_link(path: Path) -> None:
    """Raise LinkError when a path is a link."""
    if path.is_symlink():
        raise LinkError(path)


def refuse_non_folder(folder: Path) -> None:
    """Raise OSError when something exists at the path of a folder of qxbatch and is not a folder, or is a link to one."""
    refuse_link(folder)
    if os.path.lexists(folder) and not folder.is_dir():
        raise InTheWayError(folder, "not a folder, and qxbatch needs one of that name")


def clear_path(path: Path, visible_path: Path | None = None) -> None:
    """Remove a file, link or empty folder that has the name of a file of qxbatch. Raises OSError for a folder with content.

    `visible_path`: the path in messages, if it is not `path`, which may lead through an opened folder.
    """
    if not os.path.lexists(path):
        return
    try:
        path.unlink(missing_ok=True)
    except OSError:
        if path.is_symlink() or not path.is_dir():
            raise
        try:
            path.rmdir()
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            what = "a folder with content, and qxbatch writes a file of that name"
            raise InTheWayError(visible_path or path, what) from error


def open_plain(path: Path) -> BinaryIO | None:
    """Open a file for reading; return None if it is missing, a link or not a regular file. Raises OSError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO):
            return None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return os.fdopen(descriptor, "rb")


def read_plain(path: Path, max_bytes: int = MOST_BYTES_IN_MEMORY) -> bytes | None:
    """Return at most `max_bytes` bytes of a file; None if it is missing, a link or not a regular file. Raises OSError."""
    file = open_plain(path)
    if file is None:
        return None
    with file:
        return file.read(max_bytes)


def read_json_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file. Raises OSError, and ValueError, which begins with the name of the file."""
    text = read_plain(path)
    if text is None:
        raise ValueError(f"{path.name} is missing or not a regular file")
    try:
        return parse_json_object(text)
    except ValueError as error:
        raise ValueError(f"{path.name} {error}") from None


def parse_json_object(text: bytes) -> dict[str, Any]:
    """Return the JSON object in a text. Raises ValueError also for another JSON value, such as a list."""
    import json

    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("is not JSON") from None
    if not isinstance(value, dict):
        raise ValueError("is not a JSON object")  # noqa: TRY004 - the text is wrong, not a type
    return value


def is_plain_name(name: object) -> bool:
    """Return whether a text is the name of a single file or folder, without a path."""
    return isinstance(name, str) and name not in ("", ".", "..") and "/" not in name and "\0" not in name


def is_below_without_links(path: Path, top: Path) -> bool:
    """Return whether a path is below a folder, no folder between the two is a link on disk, and no part is `..`.

    The path itself may be a link.
    """
    if not path.is_relative_to(top) or ".." in path.parts:
        return False
    between = [parent for parent in path.parents if parent.is_relative_to(top) and parent != top]
    return path != top and not any(parent.is_symlink() for parent in between)
