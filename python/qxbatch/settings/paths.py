"""Paths of the user made absolute, and paths outside of a container (`--path-map`)."""

from collections.abc import Sequence
from pathlib import Path

from qxbatch.problems import UsageError


def absolute_path(where: str, text: str) -> Path:
    """Return an absolute path with symbolic links kept: session.txt names folders as the user knows them.

    A path with `..` is resolved. `where` names the parameter. Raises UsageError.
    """
    if "\0" in text:
        raise UsageError(f"{where}={text!r} is no path: it contains a zero byte.", "Give a path.")
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        raise UsageError(f"{where}={text}: there is no such user here.", "Write the path without ~.") from None
    # `..` after a symbolic link can only be removed by following the link
    return path.resolve() if ".." in path.parts else path.absolute()


def outside_path(path: Path, path_map: Sequence[tuple[Path, Path]]) -> Path:
    """Return a path as it is outside of the container: the longest folder of `path_map` that contains it is replaced."""
    matching = [(here, outside) for here, outside in path_map if path.is_relative_to(here)]
    if not matching:
        return path
    here, outside = max(matching, key=lambda pair: len(pair[0].parts))
    return outside / path.relative_to(here)
