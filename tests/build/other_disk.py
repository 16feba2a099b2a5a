"""A second file system, for tests of what happens across two."""

import tempfile
from pathlib import Path

_PLACES = (Path("/dev/shm"), Path(tempfile.gettempdir()))


def has_other_disk() -> bool:
    """Return whether memory and the folder of temporary files are two file systems."""
    return all(place.is_dir() for place in _PLACES) and len({place.stat().st_dev for place in _PLACES}) > 1


def disk_other_than(folder: Path) -> Path:
    """Return a writable folder on another file system than a folder."""
    return next(place for place in _PLACES if place.stat().st_dev != folder.stat().st_dev)
