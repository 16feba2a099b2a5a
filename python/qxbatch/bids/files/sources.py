"""Files of sessions whose content is placed in a data set, with size and hash."""

import os
import stat
from pathlib import Path
from typing import NamedTuple

from qxbatch.bids.files.export_cache import ExportCache
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

    An image that has the size in the summary of its session, and is older than the summary, is not read: the summary has its hash.
    One of the same time is read: if times are in whole seconds, it can have been edited after the summary was written.
    """

    def __init__(self, cache: ExportCache) -> None:
        self._cache = cache
        self._summary_times: dict[Path, int] = {}
        self.warnings: list[str] = []
        """Messages about images that changed since their import."""

    def of_image(self, image: ExportImage, file: str) -> Source:
        """Return the source of an image, or of a file beside it. Raises SourceError."""
        path = image.session.path / file
        status = _status(path)
        size, digest = (image.summary.sums or {}).get(file, (-1, ""))
        if size == status.st_size and status.st_mtime_ns < self._summary_time(image):
            return Source(path, size, digest)
        source = self._source(path, status)
        if digest and source.sha256 != digest:
            self.warnings.append(
                f"{path} changed since its import. The current file is exported; check it with `qxbatch verify`."
            )
        return source

    def of_file(self, path: Path) -> Source:
        """Return the source of a file that is not an image. Raises SourceError."""
        return self._source(path, _status(path))

    def _source(self, path: Path, status: os.stat_result) -> Source:
        try:
            return Source(path, status.st_size, self._cache.hash_of(f"/{path}", path, status))
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


def _status(path: Path) -> os.stat_result:
    try:
        status = os.lstat(path)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {reason_text(error, path)}") from None
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(f"{path} is not a regular file")
    return status
