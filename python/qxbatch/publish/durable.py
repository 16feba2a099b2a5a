"""Writing so that a crash leaves the old or the new, never a half."""

import contextlib
import errno
import os
import time
from pathlib import Path

from qxbatch.textfile import created


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to disk. File systems that cannot sync a folder keep its entries by themselves."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(descriptor)


_NO_SYNC = (errno.EINVAL, errno.ENOTSUP)  # some network file systems have no fsync for folders


def sync_file(path: Path) -> None:
    """Bring a file's bytes to disk."""
    sync_open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW))


def sync_open(descriptor: int) -> None:
    """Bring an open file's bytes to disk, and close it."""
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(top: Path) -> None:
    """Bring all files and folders below `top` to disk, the folders after what they hold."""
    for folder, _, files in os.walk(top, topdown=False):
        for name in files:
            sync_file(Path(folder, name))
        sync_folder(Path(folder))


def sync_up(folder: Path, top: Path) -> None:
    """Bring the entries of a folder to disk, and those of the folders above it up to `top`."""
    while True:
        sync_folder(folder)
        if folder in (top, folder.parent):
            return
        folder = folder.parent


def write_json(path: Path, content: object) -> None:
    """Write JSON under a temporary name, sync it, and rename it into place."""
    import json

    temporary = path.with_name(path.name + ".new")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def replaced_text(path: Path, text: str) -> None:
    """Write a text under a temporary name, sync it, and rename it into place."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    with created(temporary) as file:
        file.write(text)
    temporary.replace(path)
    sync_folder(path.parent)


_TRIES = 20


def make_folder(folder: Path) -> None:
    """Make a folder with those above it, though another run may remove empty ones at the same time."""
    for _ in range(_TRIES):
        with contextlib.suppress(FileNotFoundError):
            folder.mkdir(parents=True, exist_ok=True)
            return
    folder.mkdir(parents=True, exist_ok=True)


def remove_tree(top: Path) -> None:
    """Remove a file, a link, or a folder with all below it, also what its owner may not write to.

    A file that appears meanwhile (a program that was left behind still writes) is removed by the next try.
    """
    if not top.is_dir() or top.is_symlink():
        top.unlink(missing_ok=True)
        return
    import shutil

    for k in range(_TRIES):
        with contextlib.suppress(OSError):
            shutil.rmtree(top)
            return
        _make_writable(top)
        time.sleep(0.002 * k)
    shutil.rmtree(top)


def _make_writable(top: Path) -> None:
    for folder, folders, _ in os.walk(top):
        for path in (Path(folder), *(Path(folder, name) for name in folders)):
            with contextlib.suppress(OSError):
                if not path.is_symlink():
                    path.chmod(0o700)
