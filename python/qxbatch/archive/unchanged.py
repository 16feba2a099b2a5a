"""Checks right before a packet is moved that it is still the one that was imported."""

from collections.abc import Callable
from pathlib import Path

from qxbatch.core import ingest
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.model import Fingerprint, Packet
from qxbatch.publish.durable import make_scratch_folder, remove_tree
from qxbatch.session.ledger import Fate


class SamePacketCheck:
    """Compares a packet with its fingerprint, and reads it again if that is not conclusive.

    Names, sizes and modification times must agree. If inodes or their change times differ, the packet may have been
    replaced by one of the same size and time, or the file system has no stable inodes: then the bytes of all its members
    must be in the ledgers of its sessions.
    """

    def __init__(self, packet: Packet, read_hashes: Callable[[], set[str]], scratch: Path) -> None:
        self._expected = packet.fingerprint
        self._known_identities = {_identity(packet.fingerprint)}
        self._known_inodes = {packet.fingerprint.inodes}
        self._read_hashes = read_hashes
        self._scratch = scratch

    def __call__(self, path: Path, *, renamed: bool) -> bool:
        """Return whether the packet at `path` is the imported one; `renamed`: it has a new name now. Raises OSError."""
        now = fingerprint(path)
        if now != self._expected:
            return False
        if _identity(now) in self._known_identities or (
            renamed and not path.is_dir() and now.inodes in self._known_inodes
        ):
            return True  # renaming a file changes its inode's time
        if not self._has_same_members(path):
            return False
        after = fingerprint(path)  # reading may have changed the times of inodes
        self._known_identities.add(_identity(after))
        self._known_inodes.add(after.inodes)
        return after == self._expected

    def _has_same_members(self, path: Path) -> bool:
        make_scratch_folder(self._scratch)
        try:
            reading = ingest([(str(path), "")], str(self._scratch), link=True)
            rows = [reading.row(index) for index in range(len(reading))]
            if reading.notes():
                return False  # bytes outside of its members are in no ledger
        except OSError:
            return False
        finally:
            remove_tree(self._scratch)
        known_hashes = self._read_hashes() | {""}
        return all(row.fate != Fate.REFUSED and row.sha256 in known_hashes for row in rows)


def _identity(current: Fingerprint) -> tuple[int, int]:
    return (current.inodes, current.ctimes)
