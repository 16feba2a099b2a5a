"""Size and time of a packet, to detect changes."""

import errno
import os
from pathlib import Path
from zlib import crc32

from qxbatch.model import Fingerprint
from qxbatch.walk import DEEPEST


def fingerprint(path: Path) -> Fingerprint:
    """Return files, bytes, newest modification time, and inodes; for a folder also a hash over all names, sizes and times.

    The hash detects a file that was replaced by one of the same size while another file has a later time.

    Only `path` itself is followed if it is a symbolic link: a link below a folder has no data (it is a ledger row without
    content), but counts as a file, so that a new one is a change. Folders count by their time, which changes when a name is
    added or removed. Raises OSError, also for folders that are nested too deep.
    """
    top = path.stat()
    if not path.is_dir():
        return Fingerprint(1, top.st_size, top.st_mtime_ns, 0, top.st_ino, top.st_ctime_ns)
    files, size, newest, marks, inodes, ctimes = 0, 0, top.st_mtime_ns, 0, 0, 0
    start = len(os.fspath(path))
    waiting = [(os.fspath(path), 1)]
    while waiting:
        folder, depth = waiting.pop()
        if depth > DEEPEST:
            raise OSError(errno.ELOOP, f"its folders are nested more than {DEEPEST} deep", os.fspath(path))
        with os.scandir(folder) as entries:
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                newest = max(newest, status.st_mtime_ns)
                is_folder = entry.is_dir(follow_symlinks=False)
                bytes_in = 0 if is_folder else status.st_size  # each file system has its own size of a folder
                marks += crc32(os.fsencode(f"{entry.path[start:]}\0{bytes_in}\0{status.st_mtime_ns}"))
                inodes += status.st_ino
                ctimes += status.st_ctime_ns
                if is_folder:
                    waiting.append((entry.path, depth + 1))
                else:
                    files += 1
                    size += bytes_in
    return Fingerprint(files, size, newest, marks, inodes, ctimes)
