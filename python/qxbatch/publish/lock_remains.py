"""What is in the folder of locks and is not a lock: temporary files of killed runs, links, folders, FIFOs."""

import contextlib
import errno
import os
import stat
from pathlib import Path

from qxbatch.publish.durable import rename_noreplace
from qxbatch.publish.plain_files import InTheWayError


def is_unwritten(path: Path) -> bool:
    """Return whether a file is an empty temporary file of a lock: its run has not written it yet, or was killed before that."""
    return not path.name.endswith(".lock") and path.lstat().st_size == 0


def remove_non_file(path: Path) -> None:
    """Remove a link, an empty folder or a FIFO at the path of a lock. Raises InTheWayError for a folder with content, OSError."""
    try:
        path.rmdir()
    except NotADirectoryError:
        aside = path.with_name(f"{path.name}.{os.urandom(8).hex()}")
        path.rename(aside)
        if not stat.S_ISREG(aside.lstat().st_mode):
            aside.unlink()
            return
        with contextlib.suppress(FileExistsError):  # another run removed it and took the lock meanwhile
            rename_noreplace(aside, path)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        raise InTheWayError(path, "a folder with content, and qxbatch writes a file of that name") from error
