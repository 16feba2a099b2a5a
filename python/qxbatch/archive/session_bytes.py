"""Compares packets, or files of an inbox, with the bytes that sessions contain, by the ledgers of the sessions.

A ledger is the table of the members of a session's packets: hash, fate (what the import did with the member) and path in the
session. A sorted file is a member in the folder or tar.gz of its series; a kept file is a member that belongs to no series.
"""

import errno
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from qxbatch.archive.inbox_copies import InboxCopies
from qxbatch.core import Monitor, Reading, Row, ingest
from qxbatch.ingest.encrypted import encryption_reasons
from qxbatch.ingest.left_out import Cause
from qxbatch.ingest.limits import exceeded_parameters
from qxbatch.ledger_cells import escape
from qxbatch.publish.below import temporary_folder_below
from qxbatch.publish.plain_files import is_below_without_links
from qxbatch.session.folder import SessionFolder
from qxbatch.session.layout import packed_member
from qxbatch.session.ledger import STORED_FATES, Fate, Kind, LedgerRow
from qxbatch.settings.model import Settings
from qxbatch.settings.passwords import passwords_for_core
from qxbatch.walk import raise_error, walk


class PacketContent(NamedTuple):
    """The content of a packet that was read again, compared with the bytes of sessions."""

    is_contained: bool
    """Whether the sessions contain all its members."""
    has_extra_bytes: bool = False
    """Whether it has bytes outside of its members."""
    has_external_links: bool = False
    """Whether it has links to something outside of it, or to nothing."""
    links: Collection[tuple[str, str]] = ()
    """Path and reason of each link in it, as in a ledger: the reason names the target."""

    @property
    def is_fully_contained(self) -> bool:
        """Whether the sessions contain all of it, and it has no links out of it: it may be deleted."""
        return self.is_contained and not self.has_extra_bytes and not self.has_external_links


class SessionBytes:
    """The hashes of the bytes that some sessions contain, by their ledgers.

    A hash counts only if a verification of the session compares it with a file: the content hash of a sorted file, and the
    pair of hashes of a kept file. So a forged ledger cannot prove bytes that are not on disk. A file that is reached through a
    link does not count: it may be a file of the packet.
    """

    def __init__(
        self,
        sessions: Mapping[Path, str],
        settings: Settings,
        scratch: Path,
        top: Path,
        leaving_paths: Callable[[], Iterable[Path]] = tuple,
        monitor: Monitor | None = None,
    ) -> None:
        """`sessions` maps each session to the hash of its ledger. A ledger with another hash raises LedgerChangedError.

        Packets are read again with the limits and passwords of `settings`, into `scratch`, a new folder below `top`.
        `leaving_paths` returns the files and folders that are about to leave the inbox: files there do not count. When `monitor`
        is cancelled, reading a packet or a large kept file raises CancelledError.
        """
        self._sessions = dict(sessions)
        self._settings = settings
        self._scratch = scratch
        self._top = top
        self._leaving_paths = leaving_paths
        self._monitor = monitor

    def read_packet(self, path: Path) -> PacketContent:
        """Read a packet, and return what it contains, compared with the bytes of the sessions.

        A damaged packet counts as not contained. Raises OSError, also if other options are needed to read a member, and
        ValueError when a ledger is damaged.
        """
        settings = self._settings
        with temporary_folder_below(self._scratch, self._top) as scratch:
            reading = ingest(
                [(str(path), "")],
                str(scratch),
                headers_only=True,
                max_ratio=settings.max_expansion,
                max_bytes=settings.max_total,
                max_members=settings.max_members,
                max_nesting=settings.max_nesting,
                passwords=passwords_for_core(settings.passwords),
                monitor=self._monitor,
            )
            if damage := reading.damage():
                if encryption_reasons(reading) or exceeded_parameters(damage):
                    raise OSError(errno.EIO, damage[0], str(path))
                _need_readable(path)
                return PacketContent(is_contained=False)
            return PacketContent(
                all(map(self._has, _rows(reading))),
                bool(reading.skipped_bytes_notes()),
                any(cause == Cause.LINK for _, cause in reading.left_out()),
                {(row.path, row.reason) for row in _rows(reading) if row.kind == Kind.LINK},
            )

    def has_file(self, path: Path, sha256: str) -> bool:
        """Return whether the sessions contain the bytes of a file with this hash.

        A file whose hash is not found is read again: its content, for example decompressed, can have another hash. Raises OSError
        and ValueError as `read_packet`.
        """
        return (
            sha256 in self._content_hashes
            or (sha256, sha256) in self._kept_hashes
            or self.read_packet(path).is_fully_contained
        )

    def has_links(self, links: Iterable[tuple[str, str]], name: str) -> bool:
        """Return whether ledgers list all these links (`PacketContent.links`) of a packet folder. Raises OSError and ValueError.

        Ledger paths begin with the folder's `name` if its session was made of several packets.
        """
        known_links = {
            (row.path, row.reason)
            for session in self._sessions
            for row in self._ledger(session)
            if row.kind is Kind.LINK
        }
        prefixes = ("", f"{escape(name)}/")
        return all(any((f"{prefix}{path}", reason) in known_links for prefix in prefixes) for path, reason in links)

    @cached_property
    def inbox_copies(self) -> InboxCopies:
        """Return the kept files in the inboxes of the sessions. Raises OSError and ValueError when it is first used."""
        rows = ((session, row) for session in self._sessions for row in self._ledger(session))
        return InboxCopies(rows, self._monitor)

    def _has(self, row: Row) -> bool:
        """Return whether the sessions contain the bytes of a member; a link has none (see `PacketContent.has_external_links`)."""
        if row.fate in (Fate.OPENED, Fate.NODATA):
            return True  # its members are compared, or it has no bytes
        if row.content_sha256 in self._content_hashes:
            return True
        return any((row.sha256, sum_of_file) in self._kept_hashes for sum_of_file in (row.content_sha256, row.sha256))

    @property
    def _content_hashes(self) -> set[str]:
        return self._hashes[0]

    @property
    def _kept_hashes(self) -> set[tuple[str, str]]:
        return self._hashes[1]

    @cached_property
    def _hashes(self) -> tuple[set[str], set[tuple[str, str]]]:
        """Return the content hashes of sorted files, and the pairs (sha256, content_sha256) of kept files."""
        contents: set[str] = set()
        kept: set[tuple[str, str]] = set()
        for session in self._sessions:
            for row in self._remaining_rows(session):
                if row.fate is Fate.SORTED:
                    contents.add(row.content_sha256)
                else:
                    kept.add((row.sha256, row.content_sha256))
        return contents, kept

    def _remaining_rows(self, session: Path) -> Iterator[LedgerRow]:
        """Yield the rows of members whose bytes are in the session, and stay there. Raises OSError, ValueError."""
        leaving = self._leaving_of(session)
        is_counted: dict[Path, bool] = {}
        for row in self._ledger(session):
            if row.fate not in STORED_FATES:
                continue
            path = session / _file(row)
            if path.parent not in is_counted:
                is_counted[path.parent] = is_below_without_links(path, session) and leaving.isdisjoint(path.parents)
            if is_counted[path.parent] and path not in leaving and not path.is_symlink():
                yield row

    def _leaving_of(self, session: Path) -> set[Path]:
        """Return the session's files, and folders above them, that leave the inbox.

        Other paths that `leaving_paths` returns are not stored: its list may be forged and very long.
        """
        paths: set[Path] = set()
        for row in self._ledger(session):
            if row.fate in STORED_FATES:
                path = session / _file(row)
                paths.update((path, *path.parents))
        return paths.intersection(self._leaving_paths())

    def _ledger(self, session: Path) -> Iterator[LedgerRow]:
        """Yield the rows of the ledger that was compared with the session. Raises OSError and ValueError as `read_ledger`."""
        return SessionFolder(session).ledger(self._sessions[session])


def _rows(reading: Reading) -> Iterator[Row]:
    return map(reading.row, range(len(reading)))


def _need_readable(path: Path) -> None:
    """Raise OSError if a file or folder of a packet may not be read now: then damage does not show that the packet changed."""
    files = [path]
    if path.is_dir():
        files += [Path(folder, name) for folder, _, names in walk(path, onerror=raise_error) for name in names]
    for file in files:
        if file.exists() and not os.access(file, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))


def _file(row: LedgerRow) -> str:
    """Return the path, relative to the session, of the file with the bytes of a row: perhaps the tar.gz of a packed series."""
    packed = packed_member(row.at)
    return row.at if packed is None else packed[0]
