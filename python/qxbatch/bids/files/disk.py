"""What is under a path of the data set now."""

import os
import stat
from pathlib import Path
from typing import NamedTuple

from qxbatch.bids.files.record import Entry
from qxbatch.bids.files.stamps import Stamps


class Found(NamedTuple):
    """What is under a path. Neither content nor link: something that is no file."""

    sha256: str = ""
    size: int = -1
    link: str = ""
    """What a symbolic link leads to."""

    def is_of(self, entry: Entry) -> bool:
        """Return whether this is what an entry says was written. A link that leads to the same bytes is the same."""
        if entry.link or (self.link and not self.sha256):
            return bool(entry.link) and self.link == entry.link
        return (self.sha256, self.size) == (entry.sha256, entry.size)


class Disk:
    """The data set as it is. Nothing is read through a folder that is a link."""

    def __init__(self, dataset: Path, stamps: Stamps) -> None:
        self.dataset = dataset
        self._stamps = stamps
        self._plain: dict[str, bool] = {"": True}

    def look(self, path: str) -> Found | None:
        """Return what is under a path, None where there is nothing. Raises OSError."""
        if not self.is_plain(path.rpartition("/")[0]):
            return Found()
        whole = self.dataset / path
        try:
            status = os.lstat(whole)
        except (FileNotFoundError, NotADirectoryError):
            return None
        link = str(whole.readlink()) if stat.S_ISLNK(status.st_mode) else ""
        if link:
            try:
                status = os.stat(whole)  # noqa: PTH116 - git-annex keeps files behind links; they are read, never written
            except OSError:
                return Found(link=link)
        if not stat.S_ISREG(status.st_mode):
            return Found(link=link)
        return Found(self._stamps.hash_of(path, whole, status), status.st_size, link)

    def is_plain(self, folder: str) -> bool:
        """Return whether a folder and those above it are folders, or do not exist."""
        if folder not in self._plain:
            above = self.is_plain(folder.rpartition("/")[0])
            try:
                mode = os.lstat(self.dataset / folder).st_mode
            except FileNotFoundError:
                return above
            except NotADirectoryError:
                return False
            self._plain[folder] = above and stat.S_ISDIR(mode)
        return self._plain[folder]
