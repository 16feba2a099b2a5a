"""Sizes and times of a packet, which show whether it changed."""

import errno
import math
import os
from pathlib import Path
from zlib import crc32

from qxbatch.model import Fingerprint
from qxbatch.walk import MAX_DEPTH


def fingerprint(path: Path, longest: int | None = None) -> Fingerprint:
    """Return number of files, bytes, newest modification time (ns), and sums of inodes and change times (ns).

    For a folder, the fingerprint also has a sum of hashes, one of each name with its size and modification time. This sum detects
    a file that was replaced by one of the same size while another file has a later time.

    If `path` is a symbolic link, it is followed. A link below a folder is not followed, but counts as a file, so that a new link is
    a change. Folders count by their time, which changes when a name is added or removed. Raises OSError, also for folders that are
    nested too deep, and for a path of more than `longest` bytes.
    """
    top = path.stat()
    room = math.inf if longest is None else longest - len(os.fsencode(path))  # for the part of a path below `path`
    _check_length(path, 0, room)
    if not path.is_dir():
        return Fingerprint(1, top.st_size, top.st_mtime_ns, 0, top.st_ino, top.st_ctime_ns)
    files, size, newest, hash_sum, inodes, ctimes = 0, 0, top.st_mtime_ns, 0, 0, 0
    start = len(os.fspath(path))
    folders = [(os.fspath(path), 1)]
    while folders:
        folder, depth = folders.pop()
        if depth > MAX_DEPTH:
            raise OSError(errno.ELOOP, f"its folders are nested more than {MAX_DEPTH} deep", os.fspath(path))
        with os.scandir(folder) as entries:
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                newest = max(newest, status.st_mtime_ns)
                is_folder = entry.is_dir(follow_symlinks=False)
                file_size = 0 if is_folder else status.st_size  # the size of a folder depends on the file system
                name = os.fsencode(entry.path[start:])
                _check_length(entry.path, len(name), room)
                hash_sum += crc32(name + f"\0{file_size}\0{status.st_mtime_ns}".encode("ascii"))
                inodes += status.st_ino
                ctimes += status.st_ctime_ns
                if is_folder:
                    folders.append((entry.path, depth + 1))
                else:
                    files += 1
                    size += file_size
    return Fingerprint(files, size, newest, hash_sum, inodes, ctimes)


def _check_length(path: str | Path, size: int, room: float) -> None:
    """Raise OSError if `size`, the bytes of `path` below the packet, is larger than `room`."""
    if size > room:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), os.fspath(path))
