"""Packets that are refused for their own sake: unreadable, badly named, or of a kind that is not opened."""

from qxbatch.discover.entry import Entry, Shape
from qxbatch.discover.judged import Judged
from qxbatch.discover.unopened import UNOPENED, advice
from qxbatch.model import SessionId
from qxbatch.os_error import access_hint
from qxbatch.problems import Code
from qxbatch.resolve.names import breaks_lines, fault
from qxbatch.resolve.rename import rename_command
from qxbatch.settings.model import Settings


def refused_by_itself(entry: Entry, judged: Judged) -> Judged | None:
    """Return a packet refused for what it is: it cannot be read, or its name breaks lines; None when it is neither."""
    if entry.shape is Shape.UNREADABLE:
        return judged.refused(Code.UNREADABLE, f"cannot be read: {entry.error}.", access_hint(entry.path))
    if breaks_lines(entry.name):
        why = "its name contains a control character or a line end, so only a part of it would name the session."
        return judged.refused(Code.BAD_NAME, why, "Rename it:", rename_command(entry.path))
    return None


def unopened_archive(judged: Judged, session: SessionId, entry: Entry) -> Judged:
    """An archive of a kind that is not opened would be overlooked as a stray: it is refused."""
    message = f"is {UNOPENED[entry.content].title}, which qxbatch does not open."
    return judged._replace(session=session).refused(Code.UNOPENED, message, advice(entry.content, entry.path))


def with_session(judged: Judged, session: SessionId, settings: Settings) -> Judged:
    """Return a packet with its session; refused where no session may have that id."""
    why = fault(session.id)
    if not why:
        return judged._replace(session=session)
    command = rename_command(judged.path) if settings.logfile is None else ""
    return judged.refused(
        Code.BAD_NAME,
        f"its session would be called {session.id!r}, and no session may: {why}.",
        "Rename it:" if command else "Rename it, or give another --pattern, --nameformat or --logfile.",
        command,
    )
