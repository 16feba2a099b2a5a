"""Finds the files of a replaced session whose bytes exist elsewhere, by their hashes.

The ledger of a session lists the members of its packets, with their hashes and their paths in the session.
"""

import re
from collections.abc import Collection, Container
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from qxbatch.core import Monitor, hash_file, hash_gzip_content, hash_tar_gz_members
from qxbatch.large_files import monitor_of, monitor_of_packed
from qxbatch.publish.open_folders import OpenFolder, opened_in
from qxbatch.publish.plain_files import is_below_without_links
from qxbatch.session.folder import SessionFolder
from qxbatch.session.layout import PACKED_SUFFIX, SORTED_AT_PREFIX, packed_member
from qxbatch.session.ledger import STORED_FATES, Fate, LedgerRow

_SERIES = re.compile(rf"{re.escape(SORTED_AT_PREFIX)}\d+{re.escape(PACKED_SUFFIX)}")
"""Matches the path of a packed series, relative to the session."""


class KnownBytes:
    """Compares files of a replaced session with hashes of bytes that exist elsewhere.

    A file is known if `hashes` contains the hash of all its bytes. A tar.gz or gz of sorted files is also known if `hashes`
    contains the hashes of its content, and these conditions show that the import wrote it:

    - The ledger of the replaced session lists exactly this content at this path. If there is no ledger, another program sorted the
      files, and only the path is compared.
    - If there is a ledger, the archive contains only what an import writes: names and comments may exist nowhere else.
    """

    def __init__(self, old: OpenFolder, hashes: Container[str]) -> None:
        self._old = old
        self._hashes = hashes

    def has(self, file: Path, monitor: Monitor | None = None) -> bool:
        """Return whether the bytes of a file of the replaced session are known; False for a link.

        Raises OSError, and CancelledError for a large file when the monitor is cancelled.
        """
        with opened_in(self._old, file.parent.parts) as folder:
            path = folder.descriptor_path / file.name
            if path.is_symlink():
                return False
            size = path.stat().st_size
            if self._has_content(path, file.as_posix(), monitor_of_packed(size, monitor)):
                return True
            return hash_file(str(path), monitor=monitor_of(size, monitor))[1] in self._hashes

    def _has_content(self, path: Path, at: str, monitor: Monitor | None) -> bool:
        """Return whether a file is a tar.gz or gz of sorted files that is known by its content. Raises OSError, CancelledError.

        One that the ledger does not list is not unpacked.
        """
        ledger_hashes = self._ledger_hashes
        if ledger_hashes is not None and at not in ledger_hashes.packed and at not in ledger_hashes.compressed:
            return False
        has_ledger = ledger_hashes is not None
        try:
            if _SERIES.fullmatch(at):
                rows = hash_tar_gz_members(str(path), refuse_foreign_bytes=has_ledger, monitor=monitor)
                members = {name: digest for name, _, digest in rows}
                # of two members with the same name, only one would be compared with the ledger
                is_unique = len(members) == len(rows)
                return (
                    is_unique
                    and self._has_all(members.values())
                    and (ledger_hashes is None or members == ledger_hashes.packed.get(at))
                )
            if at.startswith(SORTED_AT_PREFIX) and at.endswith(".gz"):
                digest = hash_gzip_content(str(path), refuse_foreign_bytes=has_ledger, monitor=monitor)[1]
                return digest in self._hashes and (ledger_hashes is None or digest == ledger_hashes.compressed.get(at))
        except ValueError:
            pass  # an archive that is damaged, or has other parts, may contain unique data
        return False

    def _has_all(self, digests: Collection[str]) -> bool:
        return bool(digests) and all(digest in self._hashes for digest in digests)

    @cached_property
    def _ledger_hashes(self) -> "_LedgerHashes | None":
        """The hashes of what the import stored; None if there is no ledger, and empty if it cannot be read."""
        hashes = _LedgerHashes({}, {})
        try:
            for row in SessionFolder(self._old.descriptor_path).ledger():
                hashes.add(row)
        except FileNotFoundError:
            return None
        except (OSError, ValueError):  # for example, it is damaged
            return _LedgerHashes({}, {})
        return hashes


class _LedgerHashes(NamedTuple):
    """The hashes of the contents of stored files, as a ledger lists them."""

    packed: dict[str, dict[str, str]]
    """Maps the path of each packed series to the names and hashes of its members."""
    compressed: dict[str, str]
    """Maps the path of each gzipped file to the hash of its content."""

    def add(self, row: LedgerRow) -> None:
        if row.fate not in STORED_FATES:
            return
        member = packed_member(row.at)
        if member is not None:
            self.packed.setdefault(member[0], {})[member[1]] = row.content_sha256
        elif row.at.endswith(".gz"):
            self.compressed[row.at] = row.content_sha256


class SessionHashes(Container[str]):
    """The hashes of the files of packets that a session contains.

    For a sorted file, that is the hash of its content, by the ledger, since it may have been gzipped in the packet. A kept file may
    be in the inbox of the user, who may edit it: it is hashed again if the ledger lists it with a hash that is looked for. A file
    that is a link, or is below one, does not count: it may lead to the file that is to be removed.
    """

    def __init__(self, session: Path, monitor: Monitor | None = None) -> None:
        """`monitor` can cancel the reading of a large kept file. Raises OSError, ValueError."""
        self._session = session
        self._monitor = monitor
        self._sorted: set[str] = set()
        self._kept: dict[str, set[str]] = {}
        """The kept files by each hash of their rows: of the member, and of its content."""
        self._actual_hashes: dict[str, str] = {}
        is_stored: dict[str, bool] = {}
        for row in SessionFolder(session).ledger():
            if row.fate not in STORED_FATES:
                continue
            file = (packed_member(row.at) or (row.at,))[0]
            if file not in is_stored:
                is_stored[file] = self._is_stored(file)
            if is_stored[file]:
                self._add(row)

    def __contains__(self, digest: object) -> bool:
        """Return whether a file has this hash. Raises OSError, and CancelledError for a large file."""
        if digest in self._sorted:
            return True
        return isinstance(digest, str) and any(self._actual_hash(at) == digest for at in self._kept.get(digest, ()))

    def _add(self, row: LedgerRow) -> None:
        if row.fate is Fate.SORTED:
            self._sorted.add(row.content_sha256)
            return
        for digest in (row.sha256, row.content_sha256):
            self._kept.setdefault(digest, set()).add(row.at)

    def _is_stored(self, file: str) -> bool:
        path = self._session / file
        return is_below_without_links(path, self._session) and not path.is_symlink()

    def _actual_hash(self, at: str) -> str:
        """Return the hash that a kept file has now; empty if it is missing or not a regular file."""
        if at not in self._actual_hashes:
            path = self._session / at
            is_file = self._is_stored(at) and path.is_file()
            self._actual_hashes[at] = self._hash(path) if is_file else ""
        return self._actual_hashes[at]

    def _hash(self, path: Path) -> str:
        return hash_file(str(path), monitor=monitor_of(path.stat().st_size, self._monitor))[1]
