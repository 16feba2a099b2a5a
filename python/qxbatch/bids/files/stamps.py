"""What is known of files that did not change since they were hashed, so that they are not read again.

The stamps of a data set are in the sessions folder: two exports of the same sessions then have the same bytes, and a copy of
the data set brings no stamps of other files. Without them everything is hashed once.
"""

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from qxbatch.core import hash_file
from qxbatch.discover.own_names import WORKSPACE
from qxbatch.publish.durable import replaced_text
from qxbatch.publish.plain import read_plain, refuse_link

_FOLDER = "bids"


class Stamp(NamedTuple):
    """What changes when a file is written to."""

    size: int
    modified: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Stamp":
        """Return the stamp of a file."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ino)


class Stamps:
    """Hashes by path and stamp; what a session's headers say of its subject, by the stamp of its summary."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[str, list[Any]] = {}
        self._people: dict[str, list[Any]] = {}
        self._seen: dict[str, list[Any]] = {}
        with contextlib.suppress(OSError, ValueError, RecursionError, AttributeError, TypeError):
            content = json.loads((read_plain(path) if path else None) or b"{}")
            self._known = dict(content.get("files", {}))
            self._people = dict(content.get("people", {}))

    def hash_of(self, name: str, path: Path, status: os.stat_result) -> str:
        """Return the SHA-256 of a file; it is read only where its stamp is new. Raises OSError."""
        stamp = [*Stamp.of(status)]
        known = self._known.get(name)
        if isinstance(known, list) and known[:3] == stamp and len(known) == 4 and isinstance(known[3], str):  # noqa: PLR2004
            self._seen[name] = known
            return known[3]
        _size, digest = hash_file(str(path))
        self.note(name, status, digest)
        return digest

    def note(self, name: str, status: os.stat_result, digest: str) -> None:
        """Take down the hash of a file that was written now."""
        self._seen[name] = [*Stamp.of(status), digest]

    def person(self, session: str, summary: os.stat_result) -> list[str] | None:
        """Return age and sex of a session's subject as they were noted for this summary."""
        known = self._people.get(session)
        return list(map(str, known[3:])) if isinstance(known, list) and known[:3] == [*Stamp.of(summary)] else None

    def note_person(self, session: str, summary: os.stat_result, values: list[str]) -> None:
        """Take down age and sex."""
        self._people[session] = [*Stamp.of(summary), *values]

    def write(self) -> None:
        """Write the stamps; where that cannot be done, the next run hashes again."""
        if self._path is None:
            return
        with contextlib.suppress(OSError):
            for folder in (self._path.parent.parent, self._path.parent):
                refuse_link(folder)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps({"files": {**self._known, **self._seen}, "people": self._people}, sort_keys=True)
            replaced_text(self._path, text + "\n", os.urandom(8).hex())


def stamps_of(sessionsfolder: Path, dataset: Path) -> Stamps:
    """Return the stamps of a data set."""
    name = hashlib.sha256(os.fsencode(dataset)).hexdigest()[:16]
    return Stamps(sessionsfolder / WORKSPACE / _FOLDER / f"{name}.json")
