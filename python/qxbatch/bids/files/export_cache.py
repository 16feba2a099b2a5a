"""A cache of file hashes, and of ages and sexes of subjects, so that files that have not changed are not read again.

The cache of a data set is a file in the sessions folder. It is not in the data set: two exports of the same sessions have the same
bytes, and a copy of a data set does not contain the modification times and inodes of the original files.
"""

import contextlib
import errno
import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from qxbatch.bids.files.file_hash import file_hash
from qxbatch.discover.own_names import WORKSPACE
from qxbatch.publish.below import write_below
from qxbatch.publish.durable import replace_text
from qxbatch.publish.plain_files import read_plain

_FOLDER = "bids"
"""Folder of the caches in the workspace of the sessions folder."""
_MAX_BYTES = 1 << 28
"""Maximum bytes of a cache that is read: about a million files. Without a cache all files are read."""
_MAX_READINGS = 5
"""Maximum number of times that a file is read, if it changes during each reading."""
_SECOND_NS = 1_000_000_000
_UNCERTAIN_NS = 3 * _SECOND_NS
"""If times are in whole seconds, an edit this soon after the last one may not change them: 2 s, the steps of FAT, and 1 s by which
the clock of a file server may differ."""
_SCHEMA = 2
"""Version of the file. Version 1 also has stamps that an edit in the same second does not change."""


class Stamp(NamedTuple):
    """Size in bytes, times in ns and inode of a file: a file with another stamp may have changed.

    The change time shows an edit after which a program restored the modification time.
    """

    size: int
    mtime_ns: int
    inode: int
    ctime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Stamp":
        """Return the stamp of a file."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns)

    def shows_edits_after(self, moment_ns: int) -> bool:
        """Return whether each edit after a moment changes the stamp.

        Some file systems have times in whole seconds (ext3, HFS+, Lustre) or in steps of 2 s (FAT).
        """
        return all(
            time_ns % _SECOND_NS or time_ns + _UNCERTAIN_NS <= moment_ns for time_ns in (self.mtime_ns, self.ctime_ns)
        )


class ExportCache:
    """Hashes of files, and age and sex of each session's subject, with the stamp of the file or of the session's summary.

    The path is `.qxbatch/bids/NAME` in the sessions folder. Without a path the cache is neither read nor written.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._previous: dict[str, list[Any]] = {}
        """Stamp (its four values) and SHA-256 of each file, by the `name` that `hash_of` gets, as stored by previous exports."""
        self._subjects: dict[str, list[Any]] = {}
        """Stamp of the summary (its four values), age and sex, by session id."""
        self._current: dict[str, list[Any]] = {}
        """As `_previous`, for the files of this export."""
        with contextlib.suppress(OSError, ValueError, RecursionError, AttributeError, TypeError):
            content = json.loads((read_plain(path, _MAX_BYTES) if path else None) or b"{}")
            is_certain = content.get("schema") == _SCHEMA
            self._previous = _certain_entries(content.get("files", {}), is_certain=is_certain)
            self._subjects = _certain_entries(content.get("people", {}), is_certain=is_certain)

    def has_hash_of(self, name: str, status: os.stat_result) -> bool:
        """Return whether this export or an earlier one stored a hash for the stamp of a file, under `name` as in `hash_of`."""
        return self._stored_hash(name, status) is not None

    def _stored_hash(self, name: str, status: os.stat_result) -> str | None:
        stored = self._current.get(name, self._previous.get(name))
        is_of_stamp = isinstance(stored, list) and stored[:-1] == [*Stamp.of(status)] and isinstance(stored[-1], str)
        return stored[-1] if stored and is_of_stamp else None

    def hash_of(self, name: str, path: Path, status: os.stat_result, *, is_read: bool = False) -> str:
        """Return the SHA-256 of a file. The file is read only if the cache has no hash for its stamp, or with `is_read`.

        A file that changes meanwhile is read again. Raises OSError, also if it changes each time. Stamp and hash are stored under
        `name`: the path in the data set, or for a file of a session `/` and its path. They are not stored if the file changed so
        recently that another edit could leave its stamp as it is.
        """
        if not is_read and (stored := self._stored_hash(name, status)) is not None:
            return stored
        for _ in range(_MAX_READINGS):
            begin_ns = time.time_ns()
            digest = file_hash(path)
            before, status = status, os.stat(path)  # noqa: PTH116 - beside os.stat_result
            if Stamp.of(status) == Stamp.of(before):
                self.store_hash(name, status, digest, begin_ns)
                return digest
        raise OSError(errno.EBUSY, "changes while it is read", str(path))

    def store_hash(self, name: str, status: os.stat_result, digest: str, moment_ns: int) -> None:
        """Store the hash of a file with this status, unless edits after a moment could leave its stamp as it is.

        The file had this hash at the moment, or later.
        """
        if Stamp.of(status).shows_edits_after(moment_ns):
            self._current[name] = [*Stamp.of(status), digest]

    def age_and_sex(self, session: str, status: os.stat_result) -> list[str] | None:
        """Return the stored age and sex of a session's subject; None if they were not stored for a summary of this status."""
        stored, stamp = self._subjects.get(session), [*Stamp.of(status)]
        is_current = isinstance(stored, list) and stored[: len(stamp)] == stamp
        return list(map(str, stored[len(stamp) :])) if stored and is_current else None

    def store_age_and_sex(self, session: str, status: os.stat_result, values: list[str], moment_ns: int) -> None:
        """Store age and sex of a session's subject, two texts, for a summary with this status. An unknown one is an empty text.

        The session had these values at a moment, or later. Nothing is stored if changes of the summary after the moment could leave
        its stamp as it is.
        """
        if Stamp.of(status).shows_edits_after(moment_ns):
            self._subjects[session] = [*Stamp.of(status), *values]

    def write(self) -> None:
        """Write the cache; if that fails, the next export reads the files again."""
        if self._path is None:
            return
        folder, name = self._path.parent, self._path.name
        content = {"schema": _SCHEMA, "files": {**self._previous, **self._current}, "people": self._subjects}
        text = json.dumps(content, sort_keys=True) + "\n"
        with contextlib.suppress(OSError):
            # the path is that of a file in a folder of the workspace: both may have been replaced by links
            sessionsfolder = folder.parent.parent
            write_below(folder, sessionsfolder, lambda opened: replace_text(opened / name, text, os.urandom(8).hex()))


def _certain_entries(entries: Mapping[str, list[Any]], *, is_certain: bool) -> dict[str, list[Any]]:
    """Return the entries of a cache; those of version 1 only if each edit changes their stamps."""
    stamp_length = len(Stamp._fields)
    return {
        name: entry
        for name, entry in entries.items()
        if is_certain or Stamp(*entry[:stamp_length]).shows_edits_after(0)
    }


def read_cache(sessionsfolder: Path, dataset: Path) -> ExportCache:
    """Return the cache for a data set, with the values of earlier exports if its file exists."""
    name = hashlib.sha256(os.fsencode(dataset)).hexdigest()[:16]
    return ExportCache(sessionsfolder / WORKSPACE / _FOLDER / f"{name}.json")
