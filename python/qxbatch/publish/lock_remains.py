"""What is in the folder of locks and is not a lock: temporary files of killed runs, links, folders, FIFOs."""

import contextlib
import os
import stat
from pathlib import Path

from qxbatch.publish.durable import rename_new


def is_unwritten(path: Path) -> bool:
    """Return whether a file is the temporary file of a lock whose run was killed before it wrote the lock."""
    return not path.name.endswith(".lock") and path.lstat().st_size == 0


def remove_other(path: Path) -> None:
    """Remove a link, an empty folder or a FIFO at the path of a lock. Raises OSError for a folder with content."""
    try:
        path.rmdir()
    except NotADirectoryError:
        aside = path.with_name(f"{path.name}.{os.urandom(8).hex()}")
        path.rename(aside)
        if not stat.S_ISREG(aside.lstat().st_mode):
            aside.unlink()
            return
        with contextlib.suppress(FileExistsError):  # another run removed it and took the lock meanwhile
            rename_new(aside, path)
