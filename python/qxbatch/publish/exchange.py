"""Publishes a build, a session that is complete in staging, as the session folder.

If the session folder is missing, the build is renamed in one step. If it exists, only session.txt and the folders that an import
makes (in inbox mode also `inbox`) are exchanged, and other things in it (such as a later step's `hcp`) stay. session.txt is moved
away first and added last, so a folder with a session.txt of a run is always fully written. Each step can be repeated, and none
removes a byte: replaced folders, and what other programs write meanwhile, are moved to staging, where `replaced.py` handles them.
"""

import contextlib
import errno
import os
from pathlib import Path

from qxbatch.publish.below import opened_below
from qxbatch.publish.durable import sync_entries
from qxbatch.publish.kept_files import RenamedFile, place_kept_files
from qxbatch.publish.mounts import is_mounted
from qxbatch.publish.open_folders import OpenFolder, move_folder, opened_folder, opened_in, walk_in
from qxbatch.publish.plain_files import entry_exists
from qxbatch.session.contents import has_file
from qxbatch.session.layout import DICOM, INBOX, NII, RESULT_FOLDERS, SESSION_TXT

_TRIES = 20


def publish(build: Path, target: Path, old: Path, *, with_inbox: bool, replace: bool) -> list[RenamedFile]:
    """Publish a build, or continue a publication that a killed run started; return files of the user that it had to rename.

    Without `replace`, nothing is done if another session appeared at `target` meanwhile. Replaced folders and files are moved to
    `old`. With `with_inbox`, the folder `inbox` is exchanged like the other folders; without it (folder mode), the session keeps
    its `inbox`, and the files of the build's `inbox` are added to it. All paths are below the sessions folder, the parent of
    `target`. Raises OSError when a folder cannot be written, and LinkError.
    """
    if not build.exists():
        return []  # it is already published
    if not replace and _is_another_session(target, build):
        return []
    top = target.parent
    with opened_below(build.parent, top) as builds, opened_folder(top) as sessions:
        if not sessions.has(target.name):
            if entry_exists(old):
                return []  # an exchange began, then somebody removed the session with a part of the build
            with contextlib.suppress(FileExistsError):
                builds.rename_noreplace(build.name, sessions, target.name)
                sync_entries(sessions.descriptor)
                return []
            if not replace and _is_another_session(target, build):  # it appeared meanwhile
                return []
        with (
            opened_below(build, top) as new,
            opened_below(target, top) as session,
            opened_below(old, top, create=True) as replaced,
        ):
            renamed_files = _exchange(new, session, replaced, with_inbox=with_inbox)
        os.rmdir(build.name, dir_fd=builds.descriptor)
    return renamed_files


def _exchange(build: OpenFolder, session: OpenFolder, old: OpenFolder, *, with_inbox: bool) -> list[RenamedFile]:
    """Move the entries of the build to the session, and those that they replace to `old`; return the files that were renamed."""
    folders = [*RESULT_FOLDERS, INBOX] if with_inbox else [*RESULT_FOLDERS]
    for name in (*folders, SESSION_TXT):
        if is_mounted(session.descriptor_path / name):
            raise OSError(errno.EBUSY, "is a mount point", str(session.path / name))
    if build.is_same_file(SESSION_TXT, session, SESSION_TXT):  # a run was killed between the two steps of this rename
        os.unlink(SESSION_TXT, dir_fd=build.descriptor)
    if any(build.has(name) for name in (SESSION_TXT, *RESULT_FOLDERS)):  # after `qxbatch sort` there is no session.txt
        _move_aside(session, SESSION_TXT, old)
        sync_entries(session.descriptor)
    for name in folders:
        if build.has(name):
            _publish_entry(build, name, session, old)
    renamed_files = place_kept_files(build, session) if build.has(INBOX) else []
    sync_entries(session.descriptor)
    if build.has(SESSION_TXT):
        _publish_entry(build, SESSION_TXT, session, old)
        sync_entries(session.descriptor)
    return renamed_files


def _publish_entry(build: OpenFolder, name: str, session: OpenFolder, old: OpenFolder) -> None:
    """Move an entry of the build to the session. An entry that has its name there, or gets it meanwhile, is moved aside."""
    for _ in range(_TRIES):
        _move_aside(session, name, old)
        with contextlib.suppress(FileExistsError):
            build.rename_noreplace(name, session, name)
            return
    raise OSError(errno.EBUSY, "another program creates it again and again", str(session.path / name))


def _is_another_session(target: Path, build: Path) -> bool:
    """Return whether a session folder has session.txt or results of another session than the build.

    Publishing moves session.txt and results out of the build. So if the build still contains its own, those in the session folder
    are of another session.
    """
    with contextlib.suppress(FileNotFoundError):
        return not os.path.samestat(*(os.lstat(folder / SESSION_TXT) for folder in (build, target)))
    return any(entry_exists(build / name) and has_file(target / name) for name in (DICOM, NII))


def _move_aside(folder: OpenFolder, name: str, old: OpenFolder) -> None:
    """Move an entry of a folder, if it exists, to `old`, under its name or, if that is used there, another one. Raises OSError.

    The files of a folder that cannot be renamed are moved one by one: into the folder of the same name in `old`, which a killed run
    may have begun to fill, or under an unused name if both have different files with the same path.
    """
    if not folder.has(name):
        return
    unused = old.unused_name(name)
    try:
        folder.rename(name, old, unused)
    except FileNotFoundError:  # another program removed it meanwhile
        return
    except OSError as error:
        if error.errno != errno.EXDEV or not folder.has_folder(name):
            raise
        move_folder(folder, name, old, unused if _have_conflicting_files(folder, old, name) else name)


def _have_conflicting_files(left: OpenFolder, right: OpenFolder, name: str) -> bool:
    """Return whether the folders `name` in both contain different files with the same path.

    There are none if a run was killed while it moved the files of one folder to the other.
    """
    with opened_in(left, (name,)) as top:
        for parts, folder, files in walk_in(top):
            with contextlib.suppress(FileNotFoundError), opened_in(right, (name, *parts)) as other:
                if any(other.has(file) and not folder.is_same_file(file, other, file) for file in files):
                    return True
    return False
