"""Scratch folders in the folder of --work-dir, which other studies and other programs may use too.

The content of a folder is removed only if its name and a file in it identify the run that created it. That run has the kernel's
lock on this file. So a run on a copy of the study, whose staging also names the folder, does not remove it.
"""

import contextlib
import errno
import fcntl
import os
import stat
import time
from pathlib import Path

from qxbatch.publish.below import retry
from qxbatch.publish.durable import make_folder
from qxbatch.publish.plain_files import read_plain
from qxbatch.textfile import create_text
from qxbatch.walk import empty_and_close, open_folder

SCRATCH_RECORD = "scratch.txt"
"""Name of the file in staging that contains the path of the scratch folder."""
MARK = ".of-qxbatch"
"""Name of the file in a scratch folder that contains the 16 hex digits of the run that created the folder."""
_LONGEST_MARK = 100
"""Bytes that are read of the file `MARK`."""
_LOCK_WAIT_SECONDS = 2.0
"""Seconds for which `make_scratch` and `remove_scratch` wait for the lock of another run."""
_IGNORED_ERRORS = (
    errno.ENOENT,
    errno.ENOTEMPTY,
    errno.EEXIST,
    errno.ENOTDIR,
    errno.EBUSY,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
)
"""Errors of the removal of an empty folder that are ignored: it is missing, not empty, in use, or may not be removed."""
_marks: dict[Path, int] = {}
"""Maps each scratch folder of this process to the descriptor of its mark."""


def scratch_name(unit: str, run: str) -> str:
    """Return the name of the scratch folder, below --work-dir, of a run for the packets of the session id `unit`."""
    return f"qxbatch-{unit}-{run}"


def make_scratch(scratch: Path, run: str) -> None:
    """Create a scratch folder with the mark of this run. Raises OSError, also if it exists."""
    make_folder(scratch.parent)
    scratch.mkdir()
    with create_text(scratch / MARK) as file:
        file.write(run)
    mark = os.open(scratch / MARK, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    _marks[scratch] = mark
    until = time.monotonic() + _LOCK_WAIT_SECONDS
    while not _try_lock(mark) and time.monotonic() < until:  # a run that calls `is_in_use` has the lock for a moment
        time.sleep(0.01)


def is_in_use(scratch: Path) -> bool:
    """Return whether a live run has the lock of a scratch folder; False if that cannot be known."""
    try:
        mark = os.open(scratch / MARK, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _try_lock(mark)
    finally:
        os.close(mark)


def _try_lock(mark: int) -> bool:
    """Take the lock on an open mark; return False if another process has it. Without locks on the file system, return True."""
    with contextlib.suppress(OSError):
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def recorded_scratch(staging: Path, unit: str, run: str) -> Path | None:
    """Return the path of the scratch folder below --work-dir that a file in staging records; None if it records no folder of this
    unit and run. Raises OSError."""
    text = read_plain(staging / SCRATCH_RECORD)
    if text is None:
        return None
    scratch = Path(os.fsdecode(text))
    return scratch if scratch.is_absolute() and scratch.name == scratch_name(unit, run) else None


def remove_scratch(scratch: Path, run: str) -> None:
    """Remove a scratch folder of a run. Raises OSError.

    A folder without the mark of `run` is removed only if it is empty. A folder that another live run uses is not removed.
    The content is removed by the descriptor of the folder in which the mark was read. So a link that replaces the folder
    meanwhile is not followed.
    """
    mark = _marks.pop(scratch, None)
    if mark is not None:
        with contextlib.suppress(OSError):
            fcntl.flock(mark, fcntl.LOCK_UN)  # a child that another thread starts now has a copy of the descriptor
        os.close(mark)
    until = time.monotonic() + _LOCK_WAIT_SECONDS
    while is_in_use(scratch):  # a child of a killed run can have a copy until it executes its program
        if time.monotonic() > until:
            return
        time.sleep(0.01)
    try:
        folder = open_folder(scratch)
    except OSError:  # it is missing, is a link, or belongs to another user
        return
    try:
        text = _read_mark(folder)
        if text == run.encode():
            retry(lambda: empty_and_close(os.dup(folder), str(scratch), keep=MARK))
        if text in (run.encode(), b""):  # empty if the run was killed before it wrote the mark
            with contextlib.suppress(FileNotFoundError):
                os.unlink(MARK, dir_fd=folder)
    finally:
        os.close(folder)
    retry(lambda: _remove_empty(scratch))


def _remove_empty(folder: Path) -> None:
    """Remove a folder if it is empty and this user may remove it. Raises OSError, such as EIO."""
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno not in _IGNORED_ERRORS:
            raise


def _read_mark(folder: int) -> bytes | None:
    """Return the mark of an open scratch folder; None if it has none, or if the mark cannot be opened. Raises OSError."""
    try:
        descriptor = os.open(MARK, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read(_LONGEST_MARK) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
