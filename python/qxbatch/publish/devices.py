"""Block and character devices in a folder: they have no bytes to keep, and opening one can have an effect."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path


def is_device(mode: int) -> bool:
    """Return whether a mode (`st_mode`) is that of a block or character device."""
    return stat.S_ISBLK(mode) or stat.S_ISCHR(mode)


def devices_in(folder: Path) -> Iterator[Path]:
    """Yield the paths of devices below a folder, relative to it; none if it is not a folder. Raises OSError."""
    waiting = [folder] if folder.is_dir() else []
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                elif not entry.is_file(follow_symlinks=False) and is_device(entry.stat(follow_symlinks=False).st_mode):
                    yield Path(entry.path).relative_to(folder)
