"""Paths of the user made absolute, and paths outside of a container (`--path-map`)."""

import os
from collections.abc import Sequence
from pathlib import Path

from qxbatch.problems import UsageError


class NoWorkingFolderError(UsageError):
    """A path is relative, and the working folder, in which it begins, is missing."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is relative, and the working folder does not exist any more.",
            "Go to an existing folder, or give an absolute path.",
        )
        self.name = name
        """The path, with its parameter if that is known."""


def absolute_path(where: str, text: str) -> Path:
    """Return the absolute path (`absolute_form`) that the text of a parameter names; `~` is expanded.

    `where` names the parameter in errors. Raises UsageError.
    """
    if not text:
        raise UsageError(f"{where} is empty.", "Give a path; `.` is the working folder.")
    if "\0" in text:
        raise UsageError(f"{where}={text!r} is no path: it contains a zero byte.", "Give a path.")
    try:
        path = Path(text).expanduser() if text.startswith("~") else Path(text)  # in `./~`, Path would leave out the dot
    except RuntimeError:
        raise UsageError(f"{where}={text}: there is no such user here.", "Write the path without ~.") from None
    try:
        return absolute_form(path)
    except NoWorkingFolderError:
        raise NoWorkingFolderError(f"{where}={text}") from None


def absolute_form(path: str | os.PathLike[str]) -> Path:
    """Return the absolute form of a path, without `..`. Links before the last `..` are resolved, links after it are kept.

    session.txt names folders as the user knows them, and a link is not always treated as its target. But `..` after a link leads
    to the parent of its target, so it can only be removed by following the link. Raises NoWorkingFolderError, and UsageError for an
    empty text, which a shell gives for a variable that is not set.
    """
    if path == "":
        raise UsageError("A path is empty.", "Give a path; `.` is the working folder.")
    try:
        absolute = Path(path).absolute()
    except FileNotFoundError:
        raise NoWorkingFolderError(str(path)) from None
    parts = absolute.parts
    if ".." not in parts:
        return absolute
    end = len(parts) - parts[::-1].index("..")
    return Path(os.path.realpath(Path(*parts[:end])), *parts[end:])


def outside_path(path: Path, path_map: Sequence[tuple[Path, Path]]) -> Path:
    """Return a path as it is outside of the container: the longest folder of `path_map` that contains it is replaced."""
    matching = [(here, outside) for here, outside in path_map if path.is_relative_to(here)]
    if not matching:
        return path
    here, outside = max(matching, key=lambda pair: len(pair[0].parts))
    return outside / path.relative_to(here)
