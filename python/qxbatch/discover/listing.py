"""Lists the entries of the master inbox."""

import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from qxbatch.discover.entry import Entry, Shape
from qxbatch.discover.own_names import is_own_name
from qxbatch.exits import ExitStatus
from qxbatch.os_error import reading_hint, reason_text
from qxbatch.problems import UsageError

Sniff = Callable[[str], str]
"""Returns the kind of the file at a path, as `core.sniff` does: by its content, for a REC by its name."""


def core_sniff(path: str) -> str:
    """Return the kind of a file. The core is loaded when a file is first examined."""
    from qxbatch.core import sniff

    return sniff(path)


def list_inbox(
    inbox: Path,
    written_folders: Iterable[Path] = (),
    sniff: Sniff = core_sniff,
    only_names: Iterable[str] | None = None,
) -> list[Entry]:
    """Return the entries of the inbox, including dot files, sorted by name; qxbatch's own files are skipped.

    `written_folders` are folders that this run writes to. An entry that is or contains one of them is returned with the reason
    in `overlap`. With `only_names` the inbox is not listed: the entries with these names are returned if they exist.
    Raises UsageError when the inbox cannot be listed.
    """
    reserved = [os.path.realpath(path) for path in written_folders]
    names = names_in(inbox) if only_names is None else _existing_names(inbox, only_names)
    return [_entry(inbox / name, reserved, sniff) for name in names if not is_own_name(name)]


def _existing_names(inbox: Path, names: Iterable[str]) -> list[str]:
    return sorted((name for name in names if os.path.lexists(inbox / name)), key=os.fsencode)


def names_in(folder: Path, status: ExitStatus = ExitStatus.USAGE) -> list[str]:
    """Return the names in a folder, sorted by their bytes; none if the folder does not exist.

    Raises UsageError (exit status `status`) when it cannot be listed.
    """
    try:
        return sorted(os.listdir(folder), key=os.fsencode)  # noqa: PTH208 - names, not paths
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be listed: {reason_text(error, folder)}.",
            "Check the path and its permissions.",
            status,
        ) from None


def _entry(path: Path, reserved: list[str], sniff: Sniff) -> Entry:
    """Return an entry; `reserved` are the real paths of the folders that this run writes to."""
    link = ""
    try:
        if path.is_symlink():
            link = os.readlink(path)  # noqa: PTH115 - as it is written, not made a path
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            return Entry(path, Shape.FILE, sniff(os.fspath(path)), link)
    except FileNotFoundError:
        return Entry(path, Shape.BROKEN_LINK, link=link)
    except OSError as error:
        return Entry(path, Shape.UNREADABLE, link=link, error=reason_text(error, path), hint=reading_hint(error, path))
    if not stat.S_ISDIR(mode):
        return Entry(path, Shape.SPECIAL, link=link)
    return Entry(path, Shape.FOLDER, link=link, overlap=_overlap(os.path.realpath(path), reserved))


def _overlap(real: str, reserved: list[str]) -> str:
    """Return why a folder cannot be a packet if it is, or contains, one that the run writes to; else an empty text."""
    for folder in reserved:
        if folder == real:
            return f"it is {folder}, which this run writes to"
        if folder.startswith(real.rstrip("/") + "/"):
            return f"it contains {folder}, which this run writes to"
    return ""
