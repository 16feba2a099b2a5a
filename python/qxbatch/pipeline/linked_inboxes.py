"""Inboxes behind a link below the sessions folder: they are read and not changed. Also inboxes that are mount points."""

from pathlib import Path

from qxbatch.archive.decision import ArchivingFacts
from qxbatch.discover.units import Unit
from qxbatch.problems import Code, PacketError, Problem, Severity
from qxbatch.publish.mounts import is_mounted
from qxbatch.publish.plain_files import is_below_without_links
from qxbatch.session.paths import SessionPaths


def is_behind_link(unit: Unit, sessionsfolder: Path) -> bool:
    """Return whether a packet of a unit, or its inbox in folder mode, is reached through a link below the sessions folder."""
    # is_below_without_links checks the folders above a path, so an inbox needs a path in it
    paths = [packet.path for packet in unit.packets] if unit.session_inbox is None else [unit.session_inbox / "any"]
    return any(
        path.is_relative_to(sessionsfolder) and not is_below_without_links(path, sessionsfolder) for path in paths
    )


def linked_folder_warning(facts: ArchivingFacts, unit: Unit) -> Problem:
    """Return the warning about packets that stay in place because their folder is reached through a link (see `is_behind_link`)."""
    folder = unit.session_inbox or unit.packets[0].path.parent
    message = (
        f"was imported and stays where it is: {folder} is reached through a link, and qxbatch does not change the target of a "
        "link."
    )
    hint = (
        f"Use --archive=copy or --archive=leave with linked folders; --archive={facts.requested_mode} needs the folder itself. To "
        f"archive this packet, replace the link by the folder, and import it again with --overwrite=yes."
    )
    return Problem(Code.ARCHIVE, unit.label, message, hint, Severity.WARNING)


def refuse_immovable_kept_files(unit: Unit, build: Path, *, linked: bool) -> None:
    """Folder mode (`--masterinbox=none`): raise PacketError if kept files of archives cannot be moved into the inbox.

    They cannot be moved if the inbox is a mount point, or reached through a link below the sessions folder (`linked`). Raises
    OSError if the inbox cannot be examined.
    """
    inbox = unit.session_inbox
    if inbox is None or not any(path.is_file() for path in SessionPaths(build).inbox.rglob("*")):
        return
    files = "files of its archives that are not DICOM or PAR/REC"
    if linked:
        message = f"{inbox} is a link, and {files} would be written into it."
        hint = "Replace the link by a folder, or put the archives into inbox/MR and omit --masterinbox=none."
    elif is_mounted(inbox):
        message = f"{inbox} is a mount point, and {files} cannot be moved into it."
        hint = "Put the archives into inbox/MR and omit --masterinbox=none."
    else:
        return
    raise PacketError(Problem(Code.CANNOT_WRITE, unit.label, message, hint))
