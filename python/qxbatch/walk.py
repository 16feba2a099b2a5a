"""Walks and removes folder trees of any depth; os.walk and shutil.rmtree are recursive and fail at about 1000 levels."""

import os
from collections.abc import Callable, Iterator

DEEPEST = 256
"""A packet whose folders are nested deeper is refused."""


def walk(
    top: str | os.PathLike[str], *, topdown: bool = True, onerror: Callable[[OSError], object] | None = None
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield (folder, names of folders in it, other names in it), as os.walk does; links are not followed.

    Names are sorted: the order does not depend on the file system. With `topdown` false, a folder comes after those below it.
    """
    waiting = [os.fspath(top)]
    later: list[tuple[str, list[str], list[str]]] = []
    while waiting:
        folder = waiting.pop()
        try:
            folders, files = _listed(folder)
        except OSError as error:
            if onerror is not None:
                onerror(error)
            continue
        listing = (folder, folders, files)
        waiting += [os.path.join(folder, name) for name in reversed(folders) if not _is_link(folder, name)]  # noqa: PTH118
        if topdown:
            yield listing
        else:
            later.append(listing)
    yield from reversed(later)


def _listed(folder: str) -> tuple[list[str], list[str]]:
    folders: list[str] = []
    files: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            (folders if entry.is_dir() else files).append(entry.name)
    return sorted(folders), sorted(files)


def _is_link(folder: str, name: str) -> bool:
    return os.path.islink(os.path.join(folder, name))  # noqa: PTH114, PTH118 - a Path for each is slow


def remove(top: str | os.PathLike[str]) -> None:
    """Remove a folder and everything below it. Raises OSError."""
    for folder, folders, files in walk(top, topdown=False, onerror=_raise):
        for name in files:
            os.unlink(os.path.join(folder, name))  # noqa: PTH108, PTH118
        for name in folders:
            if _is_link(folder, name):
                os.unlink(os.path.join(folder, name))  # noqa: PTH108, PTH118
        os.rmdir(folder)  # noqa: PTH106


def _raise(error: OSError) -> None:
    raise error
