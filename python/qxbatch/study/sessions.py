"""The sessions of a study."""

from pathlib import Path

from qxbatch.discover.listing import names_in
from qxbatch.resolve.names import RESERVED_NAMES
from qxbatch.session.contents import is_session


def sessions_in(folder: Path) -> list[Path]:
    """Return the session folders in a folder, sorted by name; if it has none, those in its subfolder `sessions`, and so on.

    A folder that does not exist has none. Raises UsageError if a folder cannot be listed.
    """
    names = [name for name in names_in(folder) if not name.startswith(".") and name.casefold() not in RESERVED_NAMES]
    paths = [folder / name for name in names if is_session(folder / name)]
    if not paths and (folder / "sessions").is_dir():
        return sessions_in(folder / "sessions")
    return paths
