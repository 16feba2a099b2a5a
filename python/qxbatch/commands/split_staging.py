"""The folder that `qxbatch split` writes, and the hidden folder in it where the new folders are prepared."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from qxbatch.discover.own_names import is_staging_name_of_split, staging_name_of_split
from qxbatch.discover.session_folders import FolderKind, kind_of_folder
from qxbatch.problems import UsageError
from qxbatch.publish.durable import make_folder, remove_tree
from qxbatch.publish.folder_lock import is_locked, locked_folder
from qxbatch.publish.scratch import MARK, remove_scratch
from qxbatch.report.output_files import check_output_folder
from qxbatch.settings.paths import absolute_form
from qxbatch.textfile import create_text

_MAX_ATTEMPTS = 20
"""Maximum number of attempts to create the staging folder: another run that wrote nothing can remove the output meanwhile."""


def output_of(value: object, source: Path) -> Path:
    """Return the folder of --output, or the one beside the source. Raises UsageError."""
    if value:
        output = absolute_form(str(value))
        check_output_folder(output, [], among_packets=True)
        if kind_of_folder(output) is FolderKind.SESSIONS_FOLDER:  # also if it is a link to one
            hint = "The new folders would be among the sessions. Name another folder, such as one in the master inbox."
            raise UsageError(f"--output={output} is a sessions folder.", hint)
        if Path(os.path.realpath(output)).is_relative_to(os.path.realpath(source)):
            raise UsageError(f"--output={output} is in {source}, which is to be split.", "Name a folder outside of it.")
        return output
    if not source.name:
        raise UsageError(f"No folder can be beside {source}.", "Name one with --output.")
    stem = source.name if source.is_dir() else source.name.split(".")[0]
    output = source.with_name(f"{stem}_split")
    if output.is_symlink() or kind_of_folder(output):
        what = "a link" if output.is_symlink() else kind_of_folder(output)
        raise UsageError(f"{output}, where the new folders would be, is {what}.", "Name another folder with --output.")
    return output


@contextlib.contextmanager
def staging_in(output: Path) -> Iterator[Path]:
    """Yield a new folder in the output. At the end, remove it, and those folders above it that were created and are empty.

    The remains of killed runs are removed. A folder of a user with such a name is kept, unless it is empty. Raises OSError.
    """
    new_folders = [folder for folder in (output, *output.parents) if not os.path.lexists(folder)]
    staging = output / staging_name_of_split(os.urandom(8).hex())
    try:
        with contextlib.ExitStack() as lock:
            _make_locked(staging, lock)
            yield staging
    finally:
        with contextlib.suppress(OSError):
            remove_tree(staging)
        with contextlib.suppress(OSError):
            for folder in new_folders:
                folder.rmdir()


def _make_locked(staging: Path, lock: contextlib.ExitStack) -> None:
    """Create the folder and lock it: a folder without a lock is the remains of a killed run. Raises OSError."""
    output = staging.parent
    for attempt in range(1, _MAX_ATTEMPTS + 1):
        make_folder(output)
        try:
            with locked_folder(output):  # while it is locked, no other run looks for remains
                _remove_remains(output)
                staging.mkdir()
                lock.enter_context(locked_folder(staging))
                with create_text(staging / MARK) as file:  # it shows that the folder is not one of the user
                    file.write(staging.name)
                return
        except FileNotFoundError:  # another run, which wrote nothing, removed the output that it had created
            if attempt == _MAX_ATTEMPTS:
                raise


def _remove_remains(output: Path) -> None:
    for path in output.iterdir():
        if is_staging_name_of_split(path.name):
            with contextlib.suppress(OSError):
                if not is_locked(path):
                    remove_scratch(path, path.name)
