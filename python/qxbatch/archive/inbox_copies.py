"""Compares files in the inboxes of sessions with what the ledgers say.

In folder mode (`--masterinbox=none`) an inbox belongs to the user, who may change it. A kept file is a member that
belongs to no series, such as a text: the import writes it into the inbox of the session.
"""

import stat
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from qxbatch.core import Monitor, hash_file
from qxbatch.large_files import monitor_of
from qxbatch.ledger_cells import unescape
from qxbatch.publish.plain_files import is_below_without_links
from qxbatch.session.layout import KEPT_AT_PREFIX
from qxbatch.session.ledger import Fate, LedgerRow


class _Copy(NamedTuple):
    """A file in an inbox that has the bytes of a member."""

    session: Path
    row: LedgerRow
    """The row of the member."""

    @property
    def sums(self) -> tuple[str, str]:
        """Return the SHA-256 of the member, and of the bytes of the file, which differ if the import decompressed the member."""
        return (self.row.sha256, self.row.content_sha256)

    def is_intact(self, monitor: Monitor | None) -> bool:
        """Return whether the file still has these bytes, and is reached without a link.

        Raises CancelledError when the monitor is cancelled, if the file is large.
        """
        path = self.session / self.row.at
        try:
            status = path.lstat()
            return (
                stat.S_ISREG(status.st_mode)
                and is_below_without_links(path, self.session)
                and self.row.may_have_size(status.st_size)
                and hash_file(str(path), monitor=monitor_of(status.st_size, monitor))[1] in self.sums
            )
        except OSError:
            return False


class InboxCopies:
    """The kept files in the inboxes of sessions. Logs of the scanner, which are kept in `dicom/log`, are not among them.

    If the inbox already has a file with the name and the bytes of a member, the import does not write the member again. So the
    only copy may be a file of the user, who can edit it later.
    """

    def __init__(self, rows: Iterable[tuple[Path, LedgerRow]], monitor: Monitor | None) -> None:
        """`rows` are those of the ledgers, each with its session. When `monitor` is cancelled, no large file is read."""
        self._monitor = monitor
        self._by_archive: dict[str, list[_Copy]] = {}
        self._by_sum: dict[str, list[_Copy]] = {}
        for session, row in rows:
            if row.fate is not Fate.KEPT or not row.at.startswith(KEPT_AT_PREFIX):
                continue
            copy = _Copy(session, row)
            self._by_sum.setdefault(row.sha256, []).append(copy)
            for archive in _archives_above(unescape(row.path)):
                self._by_archive.setdefault(archive, []).append(copy)

    def have_all_of(self, archive: str) -> bool:
        """Return whether the inboxes still have all files that were kept from an archive, by its path below the inbox.

        Raises CancelledError.
        """
        return all(copy.is_intact(self._monitor) for copy in self._by_archive.get(archive, ()))

    def still_have(self, sha256: str) -> bool:
        """Return whether a kept file with this hash still exists unchanged; True if no file with this hash was kept.

        Raises CancelledError.
        """
        copies = self._by_sum.get(sha256)
        return copies is None or any(copy.is_intact(self._monitor) for copy in copies)


def _archives_above(path: str) -> Iterable[str]:
    """Return the part of a member's path before each `!`: the paths of the archives that contain the member.

    A `!` that is part of a name adds a path that is not an archive.

    >>> list(_archives_above("a.zip!b/c.tar!d"))
    ['a.zip', 'a.zip!b/c.tar']
    """
    return (path[:k] for k, character in enumerate(path) if character == "!")
