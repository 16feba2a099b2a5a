"""Checks right before a packet is moved that it is still the one that was imported."""

from copy import copy
from pathlib import Path

from qxbatch.archive.contained import Contained, PacketContent
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.model import Fingerprint, Packet
from qxbatch.publish.plain import is_below


class SamePacketCheck:
    """Compares a packet with its fingerprint, and reads it again if that is not conclusive.

    Names, sizes and modification times must agree. If inodes or their change times differ, the packet may have been
    replaced by one of the same size and time, or the file system has no stable inodes: then the bytes of all its members
    must be in its sessions. Renaming a file changes its inode's time: right after that the inode alone is compared, and the
    new time is expected from then on.
    """

    def __init__(
        self, packet: Packet, contained: Contained, *, for_deletion: bool, known: bool, top: Path | None = None
    ) -> None:
        """`for_deletion`: a packet that is read again must also have no bytes outside of its members, and no links out of it.

        `known`: this run took the fingerprint; one from a journal is only a claim, since anybody could have written it, so the
        packet is read again in any case. `top`: the packet must not be reached through a link below it.
        """
        self._packet = packet
        self._top = top
        self._known_identities = {_identity(packet.fingerprint): _AS_READ} if known else {}
        self._known_inodes = {packet.fingerprint.inodes: _AS_READ} if known else {}
        self._contained = contained
        self._for_deletion = for_deletion

    def __call__(self, path: Path, *, renamed: bool) -> bool:
        """Return whether the packet at `path` is the imported one; `renamed`: it was renamed just now. Raises OSError."""
        content = self.content(path, renamed=renamed)
        return content is not None and (content.is_complete if self._for_deletion else content.is_contained)

    def content(self, path: Path, *, renamed: bool = False) -> PacketContent | None:
        """Return the content of the packet at `path` when it was read; None if it is not the imported one. Raises OSError."""
        if self._is_led_out(path):
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
        """Return the check of the same packet before it is moved to the archive; what was read is not read again."""
        check = copy(self)
        check._for_deletion = False
        return check

    def contains_rest(self, path: Path) -> bool:
        """Return whether the sessions contain all that is left of the packet at `path`. Raises OSError.

        Bytes around its archives are in no session, and nobody knows whether a copy in the archive still exists. A link must be
        one of the packet, as the ledger lists it, and lead to something that is left.
        """
        if self._is_led_out(path):
            return False
        content = self._read_again(path)
        return content.is_complete and (
            not content.links or self._contained.has_links(content.links, self._packet.path.name)
        )

    def _is_led_out(self, path: Path) -> bool:
        """Return whether a folder became a link, perhaps to another copy of the packet."""
        return self._top is not None and path.is_relative_to(self._top) and not is_below(path, self._top)

    def _read_again(self, path: Path) -> PacketContent:
        return self._contained.read_again(path)


_TRIES = 3
_AS_READ = PacketContent(is_contained=True)
"""The content of a packet that this run has read: the decision how to archive it is made from that reading."""


def _identity(current: Fingerprint) -> tuple[int, int]:
    return (current.inodes, current.ctimes)
