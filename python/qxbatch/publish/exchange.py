"""Publishes a build as the session folder.

If the session folder is missing, the build is renamed in one step. If it exists, only session.txt and the folders of qxbatch are
exchanged, and other things in it (such as a later step's `hcp`) stay. session.txt is removed first and added last, so a folder
with a session.txt is always complete. Each step can be repeated, and none removes a byte: replaced folders are moved to staging,
where `replaced.py` handles them.
"""

import contextlib
import errno
import os
from pathlib import Path

from qxbatch.publish.below import opened_below
from qxbatch.publish.durable import sync_entries
from qxbatch.publish.opened import OpenFolder, move_folder, opened, opened_in, remove_empty_folders, walk_in
from qxbatch.session.contents import has_file
from qxbatch.session.layout import DICOM, INBOX, NII, RESULT_FOLDERS, SESSION_TXT


def publish(build: Path, target: Path, old: Path, *, with_inbox: bool, replace: bool) -> None:
    """Publish a build, or continue a publication that a killed run started.

    Without `replace`, nothing is done if another session appeared meanwhile. `old` is the folder for replaced folders. All paths
    are below the sessions folder, the parent of `target`. Raises OSError when a folder cannot be written, and LinkError.
    """
    if not build.exists():
        return  # it was published
    if not replace and _is_another_session(target, build):
        return
    top = target.parent
    with opened_below(build.parent, top) as builds, opened(top) as sessions:
        if not sessions.has(target.name):
            if os.path.lexists(old):
                return  # an exchange began, then somebody removed the session with a part of the build
            builds.rename(build.name, sessions, target.name)
            sync_entries(sessions.descriptor)
            return
        with (
            opened_below(build, top) as new,
            opened_below(target, top) as session,
            opened_below(old, top, create=True) as replaced,
        ):
            _exchange(new, session, replaced, with_inbox=with_inbox)
        os.rmdir(build.name, dir_fd=builds.descriptor)


def _exchange(build: OpenFolder, session: OpenFolder, old: OpenFolder, *, with_inbox: bool) -> None:
    folders = [*RESULT_FOLDERS, INBOX] if with_inbox else [*RESULT_FOLDERS]
    if any(build.has(name) for name in (SESSION_TXT, *RESULT_FOLDERS)):  # a sorted session has no session.txt
        _move_aside(session, SESSION_TXT, old)
        sync_entries(session.descriptor)
    for name in folders:
        if build.has(name):
            _move_aside(session, name, old)
            build.rename(name, session, name)
    if build.has(INBOX):
        _merge_inbox(build, session)
    sync_entries(session.descriptor)
    if build.has(SESSION_TXT):
        build.rename(SESSION_TXT, session, SESSION_TXT)
        sync_entries(session.descriptor)


def _is_another_session(target: Path, build: Path) -> bool:
    """Return whether a session folder has session.txt or results of another session.

    That is so if the build still contains them: publishing moves them out of the build.
    """
    if all(os.path.lexists(folder / SESSION_TXT) for folder in (build, target)):
        return True
    return any(os.path.lexists(build / name) and has_file(target / name) for name in (DICOM, NII))


def _move_aside(folder: OpenFolder, name: str, old: OpenFolder) -> None:
    """Move an entry, if it exists, to another folder, under an unused name. Raises OSError."""
    if not folder.has(name):
        return
    unused = old.unused_name(name)
    try:
        folder.rename(name, old, unused)
    except OSError as error:
        if error.errno != errno.EXDEV or not folder.has_folder(name):
            raise
        move_folder(folder, name, old, unused if _have_common_file(folder, old, name) else name)


def _have_common_file(left: OpenFolder, right: OpenFolder, name: str) -> bool:
    """Return whether the folder `name` of both has a file at the same path; not so after a run was killed while it moved files."""
    with opened_in(left, (name,)) as top:
        for parts, _, files in walk_in(top):
            with contextlib.suppress(FileNotFoundError), opened_in(right, (name, *parts)) as other:
                if any(other.has(file) for file in files):
                    return True
    return False


def _merge_inbox(build: OpenFolder, session: OpenFolder) -> None:
    """Folder mode: move the kept files of archives to the inbox of the session, each to an unused name."""
    with opened_in(build, (INBOX,)) as source:
        for parts, folder, files in walk_in(source):
            if files:
                with opened_in(session, (INBOX, *parts), create=True) as place:
                    for name in files:
                        folder.rename(name, place, place.unused_name(name))
                    sync_entries(place.descriptor)
    remove_empty_folders(build, INBOX)
