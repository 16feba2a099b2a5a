"""Checks right before a packet is moved that it is still the one that was imported."""

from pathlib import Path

from qxbatch.archive.contained import Contained
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
        self, packet: Packet, contained: Contained, *, also_around: bool, known: bool, top: Path | None = None
    ) -> None:
        """`also_around`: the packet must have no bytes outside of its members. `known`: this run took the fingerprint; one from
        a journal is only a claim, since anybody could have written it, so the packet is read again in any case. `top`: the packet
        must not be reached through a link below it.
        """
        self._top = top
        self._expected = packet.fingerprint
        self._known_identities = {_identity(packet.fingerprint)} if known else set()
        self._known_inodes = {packet.fingerprint.inodes} if known else set()
        self._contained = contained
        self._also_around = also_around

    def __call__(self, path: Path, *, renamed: bool) -> bool:
        """Return whether the packet at `path` is the imported one; `renamed`: it was renamed just now. Raises OSError."""
        if self._is_led_out(path):
            return False
        now = fingerprint(path)
        if now != self._expected:
            return False
        if renamed and not path.is_dir() and now.inodes in self._known_inodes:
            self._known_identities.add(_identity(now))
        if _identity(now) in self._known_identities:
            return True
        if not self._has_same_members(path):
            return False
        after = fingerprint(path)  # reading may have changed the times of inodes
        self._known_identities.add(_identity(after))
        self._known_inodes.add(after.inodes)
        return after == self._expected

    def contains_rest(self, path: Path) -> bool:
        """Return whether the sessions contain all that is left of the packet at `path`. Raises OSError.

        Bytes around its archives are in no session, and nobody knows whether a copy in the archive still exists.
        """
        return not self._is_led_out(path) and self._contained.has_members(path, also_around=True)

    def _is_led_out(self, path: Path) -> bool:
        """Return whether a folder became a link, perhaps to another copy of the packet."""
        return self._top is not None and path.is_relative_to(self._top) and not is_below(path, self._top)

    def _has_same_members(self, path: Path) -> bool:
        return self._contained.has_members(path, also_around=self._also_around)


def _identity(current: Fingerprint) -> tuple[int, int]:
    return (current.inodes, current.ctimes)
