"""Files of sessions whose content is placed in a data set, with size and hash."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from qxbatch.bids.files.export_cache import ExportCache
from qxbatch.bids.files.record import RecordEntry
from qxbatch.bids.model import ExportImage
from qxbatch.os_error import reason_text


class SourceError(Exception):
    """A file of a session cannot be read or placed in the data set."""


class Source(NamedTuple):
    """A file of a session. A file of the data set gets its content."""

    path: Path
    size: int
    sha256: str


class Sources:
    """Sizes and hashes of files of sessions.

    A file is not read if the cache has its hash. Nor is an image that has the size in the summary of its session, is older than the
    summary, and whose hash in the summary is not that of the file in the data set: `place` compares the new file with this hash.
    One of the same time is read: if times are in whole seconds, it can have been edited after the summary was written.
    The summary alone is not proof: it can be rewritten with the old hash after an edit, and a file can get an older time.
    """

    def __init__(self, cache: ExportCache, is_placed_anew: Callable[[RecordEntry], bool]) -> None:
        """`is_placed_anew` returns whether the data set lacks a file, so that the export places it and compares its hash."""
        self._cache, self._is_placed_anew = cache, is_placed_anew
        self._summary_times: dict[Path, int] = {}
        self.warnings: list[str] = []
        """Messages about images that changed since their import."""

    def of_image(self, image: ExportImage, file: str, target: str) -> Source:
        """Return the source of an image, or of a file beside it, for a path of the data set. Raises SourceError."""
        path = image.session.path / file
        status = status_of_source(path)
        size, digest = (image.summary.sums or {}).get(file, (-1, ""))
        is_summary_enough = (
            size == status.st_size
            and status.st_mtime_ns < self._summary_time(image)
            and not self._cache.has_hash_of(name_of_source(path), status)
            and self._is_placed_anew(RecordEntry(target, size, digest))
        )
        if is_summary_enough:
            return Source(path, size, digest)
        source = self._source(path, status)
        if digest and source.sha256 != digest:
            self.warnings.append(
                f"{path} changed since its import. The current file is exported; check it with `qxbatch verify`."
            )
        return source

    def of_file(self, path: Path) -> Source:
        """Return the source of a file that is not an image. Raises SourceError."""
        return self._source(path, status_of_source(path))

    def _source(self, path: Path, status: os.stat_result) -> Source:
        try:
            return Source(path, status.st_size, self._cache.hash_of(name_of_source(path), path, status))
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {reason_text(error, path)}") from None

    def _summary_time(self, image: ExportImage) -> int:
        """Return the modification time of the summary in ns; -1 if it is not known, so that images count as newer."""
        path = image.session.paths.summary
        if path not in self._summary_times:
            try:
                self._summary_times[path] = os.stat(path).st_mtime_ns  # noqa: PTH116 - one call for each of many sessions
            except OSError:
                self._summary_times[path] = -1
        return self._summary_times[path]


def name_of_source(path: Path) -> str:
    """Return the name of a file of a session in the export cache."""
    return f"/{path}"


def status_of_source(path: Path) -> os.stat_result:
    """Return the status of a file of a session. Raises SourceError, also if it is not a regular file."""
    try:
        status = os.lstat(path)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {reason_text(error, path)}") from None
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(f"{path} is not a regular file")
    return status
