"""Problems after publishing, such as files that could not leave the inbox, or packets that are not archived as requested."""

from collections.abc import Sequence
from pathlib import Path

from qxbatch.archive.decision import Reason
from qxbatch.counted import counted
from qxbatch.os_error import error_text
from qxbatch.problems import Code, Problem, Severity
from qxbatch.publish.inbox_removal import UnremovedFile
from qxbatch.publish.journal import COPIED_STUDY, Journal
from qxbatch.publish.kept_files import RenamedFile
from qxbatch.settings.command import command_for
from qxbatch.settings.model import Archive, Settings


def unremoved_file_problem(file: UnremovedFile) -> Problem:
    """Return the problem of a file or folder that is imported and still in the inbox."""
    if file.is_mount:
        message = "is a mount point in the inbox. What is mounted was imported and stays: qxbatch does not remove it."
        return Problem(Code.ARCHIVE, str(file.path), message, severity=Severity.WARNING)
    if file.error:
        is_folder = file.path.is_dir()
        message = f"{'is empty now' if is_folder else 'is sorted'}, and could not leave the inbox: {file.error}."
        hint = "Correct this and run again: only this step remains."
        hint += "" if is_folder else " The session contains its bytes."
        return Problem(Code.CANNOT_WRITE, str(file.path), message, hint)
    if not file.is_contained:
        message = "stays in the inbox, because no session contains its bytes now."
        return Problem(
            Code.CHANGED,
            str(file.path),
            message,
            "Find out what changed its copy in the session, or import the file again.",
        )
    message = "changed while it was imported, and stays in the inbox; the session contains the version that was read."
    return Problem(Code.CHANGED, str(file.path), message, "Compare the two versions.")


def renamed_file_warning(file: RenamedFile) -> Problem:
    """Return the warning about a file or folder of the user that was renamed because kept files of an archive need its name."""
    message = f"had the name of a file or folder that an archive contains. It is now {file.new_path}."
    return Problem(Code.REPLACED_KEPT, str(file.path), message, severity=Severity.WARNING)


def replaced_files_problem(session: str, folder: Path, error: OSError, *, is_written: bool) -> Problem:
    """Return the problem of replaced files that could not be moved or removed; `is_written`: the new session exists."""
    written = "the session was written; " if is_written else ""
    message = f"{written}its replaced files could not be kept: {error_text(error)}. They wait in {folder}."
    hint = "Correct this and run again: only this and the archiving remain."
    return Problem(Code.CANNOT_WRITE, session, message, hint)


def archiving_problem(packet: Path, mode: Archive, error: OSError) -> Problem:
    """Return the problem of a packet that could not be archived, although its session was written."""
    message = f"its session was written; the packet could not be archived ({mode}): {error_text(error)}."
    return Problem(Code.ARCHIVE, str(packet), message, "Correct this and run again: only the archiving remains.")


def unreadable_packet_problem(packet: Path, error: OSError) -> Problem:
    """Return the problem of a packet that cannot be checked before it is archived."""
    message = f"its session was written; the packet cannot be read any more: {error_text(error)}."
    return Problem(Code.ARCHIVE, str(packet), message, "Correct this and run again.")


def moved_packet_warning(label: str, reason: Reason) -> Problem:
    """Return the warning about packets that `--archive=delete` may not delete; `label` names them."""
    message = f"may not be deleted, since {reason}; it is moved to the archive instead."
    return Problem(Code.DELETE_MOVED, label, message, severity=Severity.WARNING)


def mounted_packet_warning(packet: Path, mount: Path, journal: Journal, settings: Settings) -> Problem:
    """Return the warning about a packet that stays in place because of `mount`, a mount point.

    `mount` is the packet, in the packet, or a folder between the packet and the inbox of its session.
    """
    relation = "it" if mount == packet else str(mount)
    message = (
        f"was imported and stays where it is: {relation} is a mount point, and qxbatch does not remove what is mounted."
    )
    hint = (
        "Use --archive=copy or --archive=leave with mounted folders. To archive the packet with "
        f"--archive={journal.requested_mode}, unmount {mount}, put its files there, and import the packet again:"
    )
    command = command_for(settings, [journal.unit], {"overwrite": "yes"})
    return Problem(Code.ARCHIVE, str(packet), message, hint, Severity.WARNING, command)


def packet_in_original_warning(packet: Path, journal: Journal, settings: Settings) -> Problem:
    """Return the warning about a packet outside of this study, which is a copy: the packet may belong to the original study."""
    message = (
        f"was imported by an interrupted run and stays where it is: {COPIED_STUDY}, and the packet is outside of it. So "
        "it may belong to the original."
    )
    hint = f"If it is a packet of this study, import it again to archive it with --archive={journal.requested_mode}:"
    command = command_for(settings, [journal.unit], {"overwrite": "yes"})
    return Problem(Code.ARCHIVE, str(packet), message, hint, Severity.WARNING, command)


def missing_devices_warning(packet: Path, devices: Sequence[Path]) -> Problem:
    """Return the warning about devices in a packet that its copy in the archive does not have."""
    number = counted(len(devices), "device")
    message = f"was copied to the archive without {number}: {devices[0]}{', ...' if len(devices) > 1 else ''}."
    return Problem(Code.ARCHIVE, str(packet), message, "A device has no bytes, so nothing is lost.", Severity.WARNING)


def vanished_packet_problem(packet: Path) -> Problem:
    """Return the problem of a packet that another program moved or deleted."""
    message = "vanished while it was imported, so it was not archived; the session contains what was read."
    return Problem(Code.CHANGED, str(packet), message, "Find out what removed it.")


def changed_packet_problem(packet: Path) -> Problem:
    """Return the problem of a packet that changed since discovery."""
    message = "changed while it was imported, and stays where it is; the session contains what was read."
    return Problem(
        Code.CHANGED, str(packet), message, "Compare the two versions, then import again with --overwrite=yes."
    )
