"""The value of --logfile: the table's path and its columns."""

from qxbatch.problems import UsageError
from qxbatch.settings.model import LogfileSpec
from qxbatch.settings.paths import absolute_path

KEYS = {
    "path": "path",
    "packet_name": "packet_name",
    "packetname": "packet_name",
    "subject_id": "subject_id",
    "subjectid": "subject_id",
    "session_name": "session_name",
    "sessionname": "session_name",
    "session_id": "session_name",
    "sessionid": "session_name",
}
"""Maps each key that a user may write, in lower case, to a field of LogfileSpec."""
MAX_DIGITS = 9
"""Maximum number of digits of a column number."""
FORM = "path:FILE|packet_name:COLUMN|subject_id:COLUMN[|session_name:COLUMN]"


def logfile_spec(text: str) -> LogfileSpec:
    """Read `path:FILE|packet_name:1|subject_id:2|session_name:3`. Raises UsageError."""
    entries: dict[str, str] = {}
    for item in text.split("|"):
        key, colon, value = item.partition(":")
        name = KEYS.get(key.strip().casefold())
        if not colon or name is None:
            raise UsageError(f"--logfile has an unknown entry: {item!r}.", f"Write {FORM}.")
        if name in entries:
            raise UsageError(f"--logfile gives {name} twice.", f"Write {FORM}.")
        entries[name] = value.strip()
    missing = [name for name in ("path", "packet_name", "subject_id") if not entries.get(name)]
    if missing:
        raise UsageError(f"--logfile lacks {', '.join(missing)}.", f"Write {FORM}.")
    session = entries.get("session_name", "")
    return LogfileSpec(
        path=absolute_path("--logfile=path", entries["path"]),
        packet_name=_column("packet_name", entries["packet_name"]),
        subject_id=_column("subject_id", entries["subject_id"]),
        session_name=_column("session_name", session) if session else None,
    )


def _column(name: str, text: str) -> int | str:
    """Return a column: a 1-based number or a header's name. Raises UsageError."""
    if not text.isdecimal():
        return text
    if len(text) > MAX_DIGITS or int(text) < 1:
        raise UsageError(f"--logfile: the column {name}:{text[:MAX_DIGITS]} is not known.", "Columns count from 1.")
    return int(text)
