"""Problems of a unit that is published: what could not leave the inbox, what changed, what could not be archived."""

from pathlib import Path

from qxbatch.os_error import error_text
from qxbatch.problems import Code, Problem
from qxbatch.publish.taken import Stayed
from qxbatch.settings.model import Archive


def left_in_inbox(stayed: Stayed) -> Problem:
    """Return the problem of a file or folder that is imported and still in the inbox."""
    if stayed.error:
        state = "is empty now" if stayed.path.is_dir() else "is sorted"
        message = f"{state}, and could not leave the inbox: {stayed.error}."
        hint = "Correct this and run again: only this is left. The session contains its bytes."
        return Problem(Code.CANNOT_WRITE, str(stayed.path), message, hint)
    message = "changed while it was imported, and stays; the session contains what was read."
    return Problem(Code.CHANGED, str(stayed.path), message, "Compare the two.")


def not_archived(packet: Path, mode: Archive, error: OSError) -> Problem:
    """Return the problem of a packet whose session is complete."""
    message = f"its session is complete; the packet could not be archived ({mode}): {error_text(error)}."
    return Problem(Code.ARCHIVE, str(packet), message, "Correct this and run again: only the archiving is left.")


def unreadable_packet(packet: Path, error: OSError) -> Problem:
    """Return the problem of a packet that cannot be looked at again before it is archived."""
    message = f"its session is complete; the packet cannot be read any more: {error_text(error)}."
    return Problem(Code.ARCHIVE, str(packet), message, "Correct this and run again.")


def vanished_packet(packet: Path) -> Problem:
    """Return the problem of a packet that somebody took away."""
    message = "vanished while it was imported, so it was not archived; the session contains what was read."
    return Problem(Code.CHANGED, str(packet), message, "Find out who took it.")


def changed_packet(packet: Path) -> Problem:
    """Return the problem of a packet that is not as it was at discovery."""
    message = "changed while it was imported, and stays where it is; the session contains what was read."
    return Problem(Code.CHANGED, str(packet), message, "Compare the two, then import again with --overwrite=yes.")
