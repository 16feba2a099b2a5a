"""One entry of the master inbox, at the time of listing."""

from enum import StrEnum
from pathlib import Path
from typing import NamedTuple


class Shape(StrEnum):
    """The file type of an entry; links are followed."""

    FILE = "file"
    FOLDER = "folder"
    BROKEN_LINK = "a link to nothing"
    SPECIAL = "neither a file nor a folder"
    UNREADABLE = "unreadable"


PACKET_KINDS = ("dicom", "par", "zip", "7z", "tar", "gzip", "bzip2", "xz", "lzma", "lzip", "zstd", "lz4", "compress")
"""Kinds of content (named as in the core) that make a file a packet."""


class Entry(NamedTuple):
    """An entry of the master inbox, as it was listed: a file, a folder or another entry, which may be no packet."""

    path: Path
    shape: Shape
    content: str = ""
    """Kind of a file as `core.sniff` returns it: by its content, for a REC by its name; empty if it is not a file."""
    link: str = ""
    """Target of a symbolic link; empty if it is not a link."""
    error: str = ""
    """Why the entry could not be read; empty if it could."""
    hint: str = ""
    """How to get access to the entry; empty if access is not the reason."""
    overlap: str = ""
    """Why the entry cannot be a packet: it is, or contains, a folder that this run writes to; else empty."""

    @property
    def name(self) -> str:
        """Its name in the inbox."""
        return self.path.name


def is_loose_dicom(entry: Entry) -> bool:
    """Return whether an entry is a single DICOM file, or one gzipped as `.dcm.gz` or `.ima.gz`."""
    gzipped = entry.content == "gzip" and entry.name.casefold().endswith((".dcm.gz", ".ima.gz"))
    return entry.shape is Shape.FILE and (entry.content == "dicom" or gzipped)
