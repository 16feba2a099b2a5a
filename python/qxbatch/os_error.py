"""Messages for errors of the operating system: path, reason, and advice."""

import errno
import os
import stat
from pathlib import Path

from qxbatch.visible import shell_word

_FULL = (errno.ENOSPC, errno.EDQUOT)
_NO_ACCESS = (errno.EACCES, errno.EPERM)
_NO_THREAD = "can't start new thread"
"""The text of the RuntimeError that Python raises if the operating system refuses a thread."""


def error_text(error: BaseException, path: Path | str = "") -> str:
    """Return an error's text; that of an OSError begins with its path and has no number.

    `path` is the default for an error without a path.

    >>> error_text(FileNotFoundError(2, "No such file or directory", "/a/b"))
    '/a/b: no such file or directory'
    >>> error_text(ValueError("no NIfTI"))
    'no NIfTI'
    """
    if not isinstance(error, OSError):
        return str(error)
    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes | os.PathLike) else str(path)
    reason = reason_text(error, name)
    return f"{name}: {reason}" if name and not reason.startswith(f"{name}: ") else reason


def reason_text(error: OSError, path: Path | str = "") -> str:
    """Return why a path could not be used, for a message that names the path already.

    `path` is examined for details, such as the free space; by default, the path of the error.
    """
    reason = error.strerror or " ".join(map(str, error.args)) or type(error).__name__
    words = reason[:1].lower() + reason[1:] if reason[1:2].islower() else reason
    place = str(path) or (os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else "")
    detail = _limit(error.errno) or _detail(error.errno, place)
    return f"{words} ({detail})" if detail else words


def _limit(number: int | None) -> str:
    """Return the limit of this program that an error shows; empty for other errors."""
    if number == errno.EMFILE:
        from qxbatch.open_files import limit_text

        return limit_text()
    if number == errno.EAGAIN:
        return "too many processes and threads for this user (`ulimit -u`) or this container"
    if number == errno.EFBIG:
        import resource

        most_bytes, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
        if most_bytes != resource.RLIM_INFINITY:
            return f"this program cannot write files larger than {size_text(most_bytes)} (`ulimit -f`)"
    return ""


def _detail(number: int | None, path: str) -> str:
    """Return the free space if the file system is full, or mode and owner if access is refused; empty for other errors.

    The path is examined or, if that is not possible, its nearest parent.
    """
    place = _nearest(path) if path else None
    if place is None:
        return ""
    try:
        if number in _FULL:
            space = os.statvfs(place)
            if space.f_files and not space.f_favail:
                return f"no inode is free on the file system of {place}: it has too many files"
            return f"{size_text(space.f_bavail * space.f_frsize)} free on the file system of {place}"
        if number in _NO_ACCESS:
            permissions = place.stat()
            where = "" if str(place) == path else f"{place} has "
            mode = stat.filemode(permissions.st_mode)
            return f"{where}mode {mode}, owner {permissions.st_uid}; this program runs as user {os.geteuid()}"
    except OSError:
        return ""
    return ""


def machine_error(error: BaseException) -> OSError | None:
    """Return an error of the machine as an OSError: also for too little memory, and for a thread that cannot be started.

    Return None for any other error.
    """
    if isinstance(error, OSError):
        return error
    if isinstance(error, MemoryError):
        return OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
    if isinstance(error, RuntimeError) and str(error) == _NO_THREAD:
        return OSError(errno.EAGAIN, "Cannot start a thread")
    return None


def is_disk_full(error: OSError) -> bool:
    """Return whether the file system, or the user's quota, is full."""
    return error.errno in _FULL


def reading_hint(error: OSError, path: Path) -> str:
    """Return advice to get access to a path that cannot be read; empty if its permissions are not the cause."""
    if error.errno not in _NO_ACCESS:
        return ""
    return access_hint(Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else path)


def access_hint(path: Path) -> str:
    """Return advice to get access to a path: a command if the user owns it, else the owner to ask."""
    place = _nearest(str(path)) or path
    try:
        owner = place.stat().st_uid
    except OSError:
        return "Check its permissions."
    if owner == os.geteuid():
        return f"Give yourself access: chmod u+rwX {shell_word(str(place))}"
    return f"Ask its owner (user {owner}) for access, or run as that user."


def _nearest(path: str) -> Path | None:
    """Return the path, or its nearest parent that can be examined; None if none can. A link counts as its target."""
    start = Path(path)
    target = Path(os.path.realpath(start)) if os.path.islink(start) else start  # noqa: PTH114 - False if it cannot be read
    for candidate in (start, target, *target.parents):
        try:
            candidate.stat()
        except (OSError, ValueError):
            continue
        return candidate
    return None


def size_text(size: int) -> str:
    """Return a number of bytes for people.

    >>> size_text(999), size_text(1_500), size_text(3_200_000_000)
    ('999 bytes', '1.5 kB', '3.2 GB')
    """
    for factor, unit in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"
