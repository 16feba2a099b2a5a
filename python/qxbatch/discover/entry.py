"""One thing that lies in the master inbox, as it was when the folder was listed."""

from enum import StrEnum
from pathlib import Path
from typing import NamedTuple


class Shape(StrEnum):
    """What the thing is for the file system, a link followed."""

    FILE = "file"
    FOLDER = "folder"
    BROKEN_LINK = "a link to nothing"
    SPECIAL = "neither a file nor a folder"
    UNREADABLE = "unreadable"


PACKETS = ("dicom", "par", "zip", "7z", "tar", "gzip", "bzip2", "xz", "lzma", "lzip", "zstd", "lz4", "compress")
"""Contents (as the core names them) that make a file a packet."""


class Entry(NamedTuple):
    """A thing in the inbox."""

    path: Path
    shape: Shape
    content: str = ""
    """What a file is by its content, as `core.sniff` names it; empty for what is no file."""
    link: str = ""
    """Where a symbolic link leads; empty for what is none."""
    error: str = ""
    """Why it could not be looked at."""
    ours: str = ""
    """Why it can be no packet whatever it holds: it is, or holds, a folder this run writes to."""

    @property
    def name(self) -> str:
        """Its name in the inbox."""
        return self.path.name


def is_loose_dicom(entry: Entry) -> bool:
    """Return whether a thing is one DICOM file, which may be gzipped, and no archive of several."""
    gzipped = entry.content == "gzip" and entry.name.casefold().endswith((".dcm.gz", ".ima.gz"))
    return entry.shape is Shape.FILE and (entry.content == "dicom" or gzipped)
