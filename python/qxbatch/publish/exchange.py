"""Publishes a build as the session folder.

If the folder is missing, that is one rename. If it contains other things (such as a later step's `hcp`), only the folders of
qxbatch are exchanged: session.txt is removed first and added last, so a folder with a session.txt is always complete. Each
step can be repeated, and none removes a byte: replaced folders wait in staging for `replaced.py`.
"""

import errno
import os
from pathlib import Path

from qxbatch.publish.durable import make_folder, sync_folder
from qxbatch.publish.plain import refuse_link, refuse_links_between, unused_name
from qxbatch.publish.transfer import move_files
from qxbatch.session.contents import has_file
from qxbatch.session.layout import DICOM, INBOX, NII, RESULT_FOLDERS, SESSION_TXT
from qxbatch.walk import walk


def publish(build: Path, target: Path, old: Path, *, with_inbox: bool, replace: bool) -> None:
    """Publish a build, or continue a publication that a killed run started.

    Without `replace`, a session that exists is another one, which appeared meanwhile: nothing is done. Raises OSError when
    the sessions folder cannot be written.
    """
    if not build.exists():
        return  # already done
    if not replace and _is_other(target, build):
        return
    if not os.path.lexists(target):
        build.rename(target)
        sync_folder(target.parent)
        return
    old.mkdir(parents=True, exist_ok=True)
    folders = [*RESULT_FOLDERS, INBOX] if with_inbox else [*RESULT_FOLDERS]
    if any((build / name).exists() for name in (SESSION_TXT, *RESULT_FOLDERS)):  # a sorted session has no session.txt
        _aside(target / SESSION_TXT, old / SESSION_TXT)
        sync_folder(target)
    for name in folders:
        if (build / name).exists():
            _aside(target / name, old / name)
            (build / name).rename(target / name)
    _merge(build / INBOX, target / INBOX)
    sync_folder(target)
    if (build / SESSION_TXT).exists():
        (build / SESSION_TXT).rename(target / SESSION_TXT)
        sync_folder(target)
    if build.exists():
        build.rmdir()


def _is_other(target: Path, build: Path) -> bool:
    """Return whether a folder has session.txt or results that are not of the build, which would not contain them any more."""
    if all(os.path.lexists(folder / SESSION_TXT) for folder in (build, target)):
        return True
    return any(os.path.lexists(build / name) and has_file(target / name) for name in (DICOM, NII))


def _aside(path: Path, old: Path) -> None:
    if not os.path.lexists(path):
        return
    refuse_link(old.parent)
    place = unused_name(old)
    try:
        path.rename(place)
    except OSError as error:
        if error.errno != errno.EXDEV or path.is_symlink() or not path.is_dir():
            raise
        move_files(path, place if _have_common_name(path, old) else old)


def _have_common_name(path: Path, old: Path) -> bool:
    """Return whether a file is in both folders: a run that was killed while it moved single files leaves none."""
    return any(
        os.path.lexists(old / Path(folder, name).relative_to(path)) for folder, _, files in walk(path) for name in files
    )


def _merge(source: Path, target: Path) -> None:
    """Folder mode: move kept files of archives to the session's own inbox, one by one, to unused names.

    Raises OSError if a folder is a link, which somebody else could have put there while a run was interrupted.
    """
    refuse_link(source)
    if not source.exists():
        return
    for folder, _, files in walk(source):
        if files:
            refuse_links_between(target / Path(folder).relative_to(source) / files[0], target)
    for folder, _, files in walk(source, topdown=False):
        if files:
            to = target / Path(folder).relative_to(source)
            make_folder(to)
            for name in files:
                refuse_links_between(to / name, target)  # somebody can have put one there since
                _aside(Path(folder, name), to / name)
            sync_folder(to)
        Path(folder).rmdir()
