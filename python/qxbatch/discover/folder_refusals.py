"""Folder mode (`--masterinbox=none`): folders that cannot be sessions."""

import os
from pathlib import Path

from qxbatch.core import is_archive
from qxbatch.discover.judged_entry import JudgedEntry
from qxbatch.discover.listing import names_in
from qxbatch.discover.packet_refusals import rename_and_import_command
from qxbatch.discover.session_folders import FolderKind, kind_of_folder
from qxbatch.os_error import access_hint
from qxbatch.problems import Code, UsageError
from qxbatch.resolve.nameformat import session_by_folder
from qxbatch.resolve.names import RESERVED_NAMES, invalid_name_reason
from qxbatch.session.contents import has_results
from qxbatch.session.layout import MASTER_INBOX
from qxbatch.settings.command import command_for
from qxbatch.settings.model import Settings
from qxbatch.visible import shell_word


def refuse_folder(
    judged: JudgedEntry, settings: Settings, unreadable_reason: str, *, has_data: bool
) -> JudgedEntry | None:
    """Return the entry as refused if its folder cannot be a session, else None.

    `has_data`: its inbox contains a file, or cannot be listed. `unreadable_reason`: why the folder cannot be opened, else empty.
    """
    name = judged.path.name
    why = invalid_name_reason(name)
    if name.casefold() in RESERVED_NAMES:  # no command is proposed: it would rename a folder of the study
        hint = "Name a session folder. If this is one, rename it."
        return judged.refuse(Code.BAD_NAME, f"no session may have that name: {why}.", hint)
    if why:
        command = rename_and_import_command(judged, settings, lambda name: session_by_folder(name, settings.nameformat))
        hint = f"Rename the folder{':' if command else '.'}"
        return judged.refuse(Code.BAD_NAME, f"no session may have that name: {why}.", hint, command)
    if unreadable_reason:
        message = f"the session folder cannot be opened: {unreadable_reason}."
        return judged.refuse(Code.UNREADABLE, message, access_hint(judged.path), command_for(settings, [name]))
    if has_data and _is_sessions_folder(judged.path):
        message = f"is a sessions folder and no session: {judged.path / MASTER_INBOX} contains packets."
        hint = f"If it is a session, rename the folder {Path(MASTER_INBOX).name} in its inbox. Else import the packets:"
        return judged.refuse(Code.SESSION_FOLDER, message, hint, f"qxbatch {shell_word(str(judged.path))}")
    return None


def _is_sessions_folder(folder: Path) -> bool:
    """Return whether a folder with data in its inbox is a sessions folder.

    A sessions folder may have nothing but a master inbox before its first import. A session can also have a folder `inbox/MR`.
    So a folder that `kind_of_folder` does not recognise is a sessions folder only if `inbox/MR` can be listed and contains an
    archive that can be read, and `dicom` and `nii` contain no file.
    """
    if not os.path.isdir(folder / MASTER_INBOX):  # noqa: PTH112 - Path.is_dir raises PermissionError
        return False
    return kind_of_folder(folder) == FolderKind.SESSIONS_FOLDER or (
        not has_results(folder) and _has_archive(folder / MASTER_INBOX)
    )


def _has_archive(inbox: Path) -> bool:
    try:
        names = names_in(inbox)
    except UsageError:
        return False
    return any(_is_readable_archive(inbox / name) for name in names)


def _is_readable_archive(path: Path) -> bool:
    try:
        return path.is_file() and is_archive(os.fspath(path))
    except OSError:  # the import of the session reports it
        return False
