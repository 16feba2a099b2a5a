"""Publishes a build as the session folder.

If the folder is missing, that is one rename. If it contains other things (such as a later step's `hcp`), only the folders of
qxbatch are exchanged: session.txt is removed first and added last, so a folder with a session.txt is always complete. Each
step can be repeated, and none removes a byte: replaced folders wait in staging for `replaced.py`.
"""

import contextlib
import errno
import os
from pathlib import Path

from qxbatch.publish.below import entered
from qxbatch.publish.durable import sync_entries
from qxbatch.publish.opened import OpenFolder, move_folder, opened, opened_in, remove_empty_folders, walk_in
from qxbatch.session.contents import has_file
from qxbatch.session.layout import DICOM, INBOX, NII, RESULT_FOLDERS, SESSION_TXT


def publish(build: Path, target: Path, old: Path, *, with_inbox: bool, replace: bool) -> None:
    """Publish a build, or continue a publication that a killed run started.

    Without `replace`, a session that exists is another one, which appeared meanwhile: nothing is done. All paths are below the
    sessions folder, the parent of `target`. Raises OSError when that cannot be written, and LinkError.
    """
    if not build.exists():
        return  # already done
    if not replace and _is_other(target, build):
        return
    top = target.parent
    with entered(build.parent, top) as builds, opened(top) as sessions:
        if not sessions.has(target.name):
            if os.path.lexists(old):
                return  # somebody removed the session when a part of the build was in it
            builds.rename(build.name, sessions, target.name)
            sync_entries(sessions.descriptor)
            return
        with entered(build, top) as new, entered(target, top) as session, entered(old, top, create=True) as replaced:
            _exchange(new, session, replaced, with_inbox=with_inbox)
        os.rmdir(build.name, dir_fd=builds.descriptor)


def _exchange(build: OpenFolder, session: OpenFolder, old: OpenFolder, *, with_inbox: bool) -> None:
    folders = [*RESULT_FOLDERS, INBOX] if with_inbox else [*RESULT_FOLDERS]
    if any(build.has(name) for name in (SESSION_TXT, *RESULT_FOLDERS)):  # a sorted session has no session.txt
        _aside(session, SESSION_TXT, old)
        sync_entries(session.descriptor)
    for name in folders:
        if build.has(name):
            _aside(session, name, old)
            build.rename(name, session, name)
    if build.has(INBOX):
        _merge_inbox(build, session)
    sync_entries(session.descriptor)
    if build.has(SESSION_TXT):
        build.rename(SESSION_TXT, session, SESSION_TXT)
        sync_entries(session.descriptor)


def _is_other(target: Path, build: Path) -> bool:
    """Return whether a folder has session.txt or results that are not of the build, which would not contain them any more."""
    if all(os.path.lexists(folder / SESSION_TXT) for folder in (build, target)):
        return True
    return any(os.path.lexists(build / name) and has_file(target / name) for name in (DICOM, NII))


def _aside(folder: OpenFolder, name: str, old: OpenFolder) -> None:
    """Move an entry of a folder to an unused name in another one."""
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
    """Return whether both have a file in their folder of that name: a run that was killed while it moved files leaves none."""
    with opened_in(left, (name,)) as top:
        for parts, _, files in walk_in(top):
            with contextlib.suppress(FileNotFoundError), opened_in(right, (name, *parts)) as other:
                if any(other.has(file) for file in files):
                    return True
    return False


def _merge_inbox(build: OpenFolder, session: OpenFolder) -> None:
    """Folder mode: move kept files of archives to the session's own inbox, one by one, to unused names."""
    with opened_in(build, (INBOX,)) as source:
        for parts, folder, files in walk_in(source):
            if files:
                with opened_in(session, (INBOX, *parts), create=True) as place:
                    for name in files:
                        folder.rename(name, place, place.unused_name(name))
                    sync_entries(place.descriptor)
    remove_empty_folders(build, INBOX)
