"""Sessions named one by one, or by the folder they lie in."""

import os
from pathlib import Path

from qxbatch.discover.listing import names_in
from qxbatch.problems import UsageError
from qxbatch.resolve.names import RESERVED
from qxbatch.session.contents import is_session


def chosen_sessions(given: object) -> list[Path]:
    """Return session folders; a folder that is none stands for the sessions in it. Raises UsageError."""
    assert isinstance(given, list)
    found: list[Path] = []
    for name in given:
        path = Path(os.path.abspath(str(name)))  # noqa: PTH100 - links in a session's path stay
        if not os.path.isdir(path):  # noqa: PTH112 - False where it is closed
            state = "is not a folder" if os.path.lexists(path) else "does not exist"
            raise UsageError(f"{path} {state}.", "Name session folders, or a folder of sessions.")
        sessions = [path] if is_session(path) else sessions_in(path)
        if not sessions:
            raise UsageError(
                f"{path} is not a session and contains none.", "Name folders such as study/sessions/OP386."
            )
        found += sessions
    return list(dict.fromkeys(found))


def sessions_in(folder: Path) -> list[Path]:
    """Return the session folders of a sessions folder, or of the `sessions` below a study folder, sorted by name."""
    names = [name for name in names_in(folder) if not name.startswith(".") and name.casefold() not in RESERVED]
    found = [folder / name for name in names if is_session(folder / name)]
    if not found and (folder / "sessions").is_dir():
        return sessions_in(folder / "sessions")
    return found
