"""Compares the remaining files of a packet with sessions, if an import was removing the packet and its journal is missing.

The ledger of a session lists the members of its packets with their hashes.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from qxbatch.core import Monitor, hash_file
from qxbatch.publish.plain_files import is_below_without_links
from qxbatch.session.folder import SessionFolder
from qxbatch.session.layout import packed_member
from qxbatch.session.ledger import FATES_WITHOUT_LOCATION, Fate
from qxbatch.walk import raise_error, walk


def contain_remaining(sessions: Sequence[Path], packet: Path, monitor: Monitor) -> bool:
    """Return whether sessions contain each file that is left in a packet folder, by the hashes of their ledgers.

    False if the packet is not a folder or contains a link or a special file, or if a file or a ledger cannot be read. False, too,
    if a file that a ledger lists is missing in its session. If no file is left, the result is True, and no ledger is read.
    A file whose size no ledger lists is not read. Raises CancelledError when the monitor is cancelled.
    """
    try:
        if packet.is_symlink() or not packet.is_dir():
            return False
        files = list(_files(packet))
        if not all(stat.S_ISREG(file.lstat().st_mode) for file in files):
            return False
        known = {each for session in sessions for each in _sizes_and_hashes(session)} if files else set()
        sizes = {size for size, _ in known}
        return all(file.lstat().st_size in sizes for file in files) and all(
            hash_file(str(file), monitor=monitor) in known for file in files
        )
    except (OSError, ValueError):
        return False


def _files(folder: Path) -> Iterator[Path]:
    """Yield all entries below a folder that are not folders. Raises OSError."""
    for top, folders, names in walk(folder, onerror=raise_error):
        yield from (Path(top, name) for name in names)
        yield from (path for name in folders if (path := Path(top, name)).is_symlink())


def _sizes_and_hashes(session: Path) -> Iterator[tuple[int, str]]:
    """Yield the sizes and hashes of the members that a session contains, and of the archives that were opened.

    Raises OSError, also if a file with the bytes of a member is missing, not regular or reached through a link, and ValueError.
    """
    checked: set[str] = set()
    for row in SessionFolder(session).ledger():
        if row.fate not in FATES_WITHOUT_LOCATION:
            packed = packed_member(row.at)
            file = row.at if packed is None else packed[0]  # the tar.gz of a packed series
            if file not in checked and not (
                is_below_without_links(session / file, session) and stat.S_ISREG(os.lstat(session / file).st_mode)
            ):
                raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), str(session / file))
            checked.add(file)
        if row.fate is Fate.OPENED or row.fate not in FATES_WITHOUT_LOCATION:
            yield row.size, row.sha256
