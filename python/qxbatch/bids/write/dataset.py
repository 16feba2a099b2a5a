"""The folder of a data set: checks, and a lock for one export at a time."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from qxbatch.bids.files.description import DATASET_DESCRIPTION
from qxbatch.bids.files.record import RECORD, RECORD_FOLDER
from qxbatch.exits import ExitStatus
from qxbatch.os_error import error_text
from qxbatch.problems import UsageError
from qxbatch.publish.folder_lock import FolderLock, locked_folder
from qxbatch.publish.plain_files import refuse_link
from qxbatch.session.contents import is_session
from qxbatch.visible import shell_word

_PARENT_FOLDER = Path(RECORD_FOLDER).parent


def check_dataset(dataset: Path, sessionsfolder: Path) -> None:
    """Refuse a folder that contains the sessions, is or is in a session, cannot be listed, or has files but is no data set.

    Hidden files do not count. Raises UsageError.
    """
    sessionsfolder = Path(os.path.realpath(sessionsfolder))
    dataset = Path(os.path.realpath(dataset))
    if dataset == sessionsfolder or sessionsfolder.is_relative_to(dataset):
        raise UsageError(f"{dataset} contains the sessions.", "Name another folder for the data set.")
    inside = dataset.relative_to(sessionsfolder).parts if dataset.is_relative_to(sessionsfolder) else ()
    if any(is_session(path) for path in (sessionsfolder.joinpath(*inside[:k]) for k in range(1, len(inside) + 1))):
        raise UsageError(f"{dataset} is a session or is inside a session.", "Name another folder for the data set.")
    try:
        names = os.listdir(dataset)  # noqa: PTH208 - names are enough
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(
            f"{error_text(error, dataset)}.", "Name a folder that you can read and write.", ExitStatus.CANNOT_WRITE
        ) from None
    is_dataset = any(os.path.lexists(dataset / name) for name in (DATASET_DESCRIPTION, RECORD, RECORD_FOLDER))
    visible = [name for name in names if not name.startswith(".")]
    # an export that was interrupted at its beginning leaves only the empty parent folder of the record
    is_begun = visible == [_PARENT_FOLDER.name] and not _has_entries(dataset / _PARENT_FOLDER)
    if visible and not is_dataset and not is_begun:
        hint = "Name a new or empty folder, or a data set: a folder with dataset_description.json."
        raise UsageError(f"{dataset} is not empty and is not a BIDS data set.", hint)


def _has_entries(folder: Path) -> bool:
    """Return whether a folder has entries; also True for a path that cannot be listed, such as that of a file."""
    try:
        return bool(os.listdir(folder))  # noqa: PTH208 - names are enough
    except OSError:
        return True


@contextlib.contextmanager
def one_export_at_a_time(dataset: Path) -> Iterator[None]:
    """Create the folder of the record, and lock it for the `with` block.

    Raises UsageError if another run has the lock, and OSError if the folder cannot be opened, or if it or its parent is a
    symbolic link.
    """
    folder = dataset / RECORD_FOLDER
    for path in (folder.parent, folder):
        refuse_link(path)
    folder.mkdir(parents=True, exist_ok=True)
    with locked_folder(folder) as lock:
        if lock is FolderLock.HELD_BY_ANOTHER_PROCESS:
            hint = f"Wait until that run has ended, then run again. It holds the lock on {shell_word(str(folder))}."
            raise UsageError(f"Another run exports to {dataset}.", hint, ExitStatus.HELD)
        yield
