"""Whether a packet is still the one that was imported, looked at when it is about to leave its folder."""

import shutil
from collections.abc import Callable
from pathlib import Path

from qxbatch.core import ingest
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.model import Fingerprint, Packet
from qxbatch.session.ledger import Fate


class LookAgain:
    """Compares a packet with its fingerprint, and reads it again where that does not tell.

    Names, sizes and modification times have to agree. Where inodes or their change times differ, it may have been
    exchanged for another one of equal size and time, or a file system without lasting inodes gave it others: then the
    bytes of all its members have to be in the ledgers of its sessions.
    """

    def __init__(self, packet: Packet, held: Callable[[], set[str]], scratch: Path) -> None:
        self._expected = packet.fingerprint
        self._same = {_identity(packet.fingerprint)}
        self._inodes = {packet.fingerprint.inodes}
        self._held = held
        self._scratch = scratch

    def __call__(self, path: Path, *, renamed: bool) -> bool:
        """Return whether it is the same. Raises OSError."""
        now = fingerprint(path)
        if now != self._expected:
            return False
        if _identity(now) in self._same or (renamed and not path.is_dir() and now.inodes in self._inodes):
            return True  # renaming a file changes the time of its inode
        if not self._has_same_members(path):
            return False
        after = fingerprint(path)  # reading may have changed times of inodes
        self._same.add(_identity(after))
        self._inodes.add(after.inodes)
        return after == self._expected

    def _has_same_members(self, path: Path) -> bool:
        try:
            reading = ingest([(str(path), "")], str(self._scratch), link=True)
            rows = [reading.row(index) for index in range(len(reading))]
            if reading.notes():
                return False  # bytes outside its members are in no ledger
        except OSError:
            return False
        finally:
            shutil.rmtree(self._scratch, ignore_errors=True)
        held = self._held() | {""}
        return all(row.fate != Fate.REFUSED and row.sha256 in held for row in rows)


def _identity(found: Fingerprint) -> tuple[int, int]:
    return (found.inodes, found.ctimes)
