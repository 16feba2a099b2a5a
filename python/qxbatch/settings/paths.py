"""Paths as the user wrote them, made absolute."""

from pathlib import Path

from qxbatch.problems import UsageError


def absolute(where: str, text: str) -> Path:
    """Return an absolute path with symbolic links kept: session.txt names folders as the user knows them.

    `where` names the parameter. Raises UsageError.
    """
    if "\0" in text:
        raise UsageError(f"{where}={text!r} is no path: it holds a zero byte.", "Give a path.")
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        raise UsageError(f"{where}={text}: there is no such user here.", "Write the path without ~.") from None
    # `..` behind a symbolic link can only be taken away by following the link
    return path.resolve() if ".." in path.parts else path.absolute()
