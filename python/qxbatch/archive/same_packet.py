"""Checks that a packet is still the one that was imported."""

from copy import copy
from pathlib import Path

from qxbatch.archive.session_bytes import PacketContent, SessionBytes
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.model import Fingerprint, Packet
from qxbatch.publish.plain_files import is_below_without_links


class SamePacketCheck:
    """Compares a packet with its fingerprint, and reads it again if the fingerprint does not show whether it is the same.

    Names, sizes and modification times must agree. If inodes or their change times differ, the packet may have been replaced by
    one of the same size and time, or the file system has no stable inodes: then its sessions must contain the bytes of all its
    members. Renaming a file changes the change time of its inode. So right after a rename only the inode is compared, and later
    checks expect the new time.
    """

    def __init__(
        self,
        packet: Packet,
        session_bytes: SessionBytes,
        *,
        for_deletion: bool,
        trusts_fingerprint: bool,
        top: Path | None = None,
    ) -> None:
        """`for_deletion`: a packet that is read again must also have no bytes outside of its members, and no links out of it.

        `trusts_fingerprint`: a packet with the inodes and change times of its fingerprint is not read again. False for a
        fingerprint from a journal, which anybody can write, unless the packet is left in place. `top`: the packet must not be
        reached through a link below this folder.
        """
        self._packet = packet
        self._top = top
        # the content of the packet, by the identity and by the inodes that it had when it was read
        self._known_identities = {_identity(packet.fingerprint): _AS_READ} if trusts_fingerprint else {}
        self._known_inodes = {packet.fingerprint.inodes: _AS_READ} if trusts_fingerprint else {}
        self._session_bytes = session_bytes
        self._for_deletion = for_deletion

    def __call__(self, path: Path, *, renamed: bool) -> bool:
        """Return whether the packet at `path` is the imported one; `renamed`: it was renamed just now. Raises as `content`."""
        content = self.content(path, renamed=renamed)
        return content is not None and (content.is_fully_contained if self._for_deletion else content.is_contained)

    def content(self, path: Path, *, renamed: bool = False) -> PacketContent | None:
        """Return the content of the packet at `path`, as it was when the packet was last read.

        None if its names, sizes or times are not those of the imported packet, if it is reached through a link below `top`, or if
        it changes during each reading. Raises OSError and ValueError as `SessionBytes.read_packet`.
        """
        if self._is_behind_link(path):
            return None
        now = fingerprint(path)
        if now != self._packet.fingerprint:
            return None
        if renamed and not path.is_dir() and now.inodes in self._known_inodes:
            self._known_identities[_identity(now)] = self._known_inodes[now.inodes]
        if _identity(now) in self._known_identities:
            return self._known_identities[_identity(now)]
        for _ in range(_TRIES):
            content = self._read_again(path)
            after = fingerprint(path)
            if after != self._packet.fingerprint:
                return None
            if after.ctimes == now.ctimes:  # else it may have changed after a part of it was read
                self._known_identities[_identity(after)] = self._known_inodes[after.inodes] = content
                return content
            now = after
        return None

    def for_move(self) -> "SamePacketCheck":
        """Return the check of the same packet for a move, which permits extra bytes and links. It shares what this one has read."""
        check = copy(self)
        check._for_deletion = False
        return check

    def contains_remaining_files(self, path: Path) -> bool:
        """Return whether the sessions contain all that is left of the packet at `path`. Raises OSError and ValueError.

        False if it has bytes outside of its members: the sessions may lack them. A link must be listed in the ledger as a link of
        the packet, and its target must be one of the remaining files and folders of the packet.
        """
        if self._is_behind_link(path):
            return False
        content = self._read_again(path)
        return content.is_fully_contained and (
            not content.links or self._session_bytes.has_links(content.links, self._packet.path.name)
        )

    def was_moved_to(self, path: Path) -> bool:
        """Return whether a packet in the archive is the imported one, by names, sizes and times.

        If these differ, but not the numbers of files and bytes, the bytes of its members decide. False if they cannot be read.

        Raises ValueError when a ledger is damaged.
        """
        try:
            now, expected = fingerprint(path), self._packet.fingerprint
            has_same_size = (now.files, now.size) == (expected.files, expected.size)
            return now == expected or (has_same_size and self._read_again(path).is_contained)
        except OSError:
            return False

    def _is_behind_link(self, path: Path) -> bool:
        """Return whether a folder above the packet became a link, perhaps to another copy of the packet."""
        return self._top is not None and path.is_relative_to(self._top) and not is_below_without_links(path, self._top)

    def _read_again(self, path: Path) -> PacketContent:
        return self._session_bytes.read_packet(path)


_TRIES = 3
"""Number of times that a packet is read at most, if it changes during each reading."""
_AS_READ = PacketContent(is_contained=True)
"""The content of a packet whose fingerprint is trusted, without reading it again.

If the packet leaves the inbox, this run has read it before, and chose the archive mode by its extra bytes and links.
"""


def _identity(current: Fingerprint) -> tuple[int, int]:
    """Return the inodes and their change times, which a comparison of two fingerprints ignores."""
    return (current.inodes, current.ctimes)
