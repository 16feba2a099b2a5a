"""Refuses packets whose session folder exists and cannot be replaced by renaming."""

import os
from pathlib import Path

from qxbatch.discover.units import Unit
from qxbatch.problems import Code, PacketError, Problem
from qxbatch.publish.mounts import is_mounted
from qxbatch.session.equal_names import other_stored_name
from qxbatch.session.layout import INBOX, RESULT_FOLDERS, SESSION_TXT


def refuse_unusable_folder(folder: Path, unit: Unit) -> None:
    """Raise PacketError if an existing session cannot be replaced by renaming, and OSError if its folder cannot be examined.

    A session cannot be replaced if its folder

    - is a link, a mount point, or not a folder
    - has another name on disk, since the file system treats both names as one (for example in upper and lower case)
    - is not writable, or contains a folder that an import replaces and that is not writable
    - contains an entry that an import replaces and that is a mount point
    """
    if not os.path.lexists(folder):
        return
    entries = [folder / name for name in (*RESULT_FOLDERS, SESSION_TXT, *([] if unit.folder_mode else [INBOX]))]
    folders = [path for path in (folder, *entries) if path.is_dir() and not path.is_symlink()]
    message = ""
    if folder.is_symlink() or not folder.is_dir() or is_mounted(folder):
        message = f"its session {folder} is not a folder on the file system of {folder.parent}; nothing was changed."
    elif existing_name := other_stored_name(folder):
        message = f"the file system treats the folder {existing_name} as its session {folder}; nothing was changed."
    elif unwritable_folders := [path for path in folders if not os.access(path, os.W_OK | os.X_OK)]:
        message = f"{unwritable_folders[0]} cannot be written; nothing was changed."
    elif mount_points := [path for path in entries if is_mounted(path)]:
        message = f"{mount_points[0]} is a mount point, so an import cannot replace it; nothing was changed."
    if message:
        hint = "Correct that, or move the session away."
        raise PacketError(Problem(Code.CANNOT_WRITE, unit.label, message, hint))
