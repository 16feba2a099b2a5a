"""Writes the file of a proposal (rules, protocol), which the user then corrects."""

import os
from pathlib import Path

from qxbatch.exits import ExitStatus
from qxbatch.os_error import reason_text
from qxbatch.problems import UsageError
from qxbatch.publish.durable import replace_text
from qxbatch.report.output_files import check_output_files, default_study_paths


def check_proposal_file(option: str, path: Path, sessionsfolder: Path, *, overwrite: bool) -> None:
    """Raise UsageError if a proposal may not be written to the path that `option` gives.

    It may not replace something that is not a file or, without `overwrite`, any file. With `overwrite`, it may replace only a file
    of the kind that the option writes. A new file, too, may not be where an import would take, change or remove it: in a session,
    in a master inbox, or in the archive (`check_output_files`).
    """
    if os.path.lexists(path):
        if not path.is_file():
            raise UsageError(f"{path} is not a file.", f"Name another file with {option}.", ExitStatus.CANNOT_WRITE)
        if not overwrite:
            raise _exists_error(path)
    check_output_files({option: path}, [default_study_paths(sessionsfolder)])


def write_proposal(path: Path, text: str, *, overwrite: bool) -> None:
    """Write a proposal. Raises UsageError if the file cannot be written or, without `overwrite`, if it appeared meanwhile."""
    try:
        replace_text(path, text, os.urandom(8).hex(), is_new=not overwrite)
    except FileExistsError:
        raise _exists_error(path) from None
    except OSError as error:
        hint = "Name a file in a folder that can be written."
        raise UsageError(f"Cannot write {path}: {reason_text(error, path)}.", hint, ExitStatus.CANNOT_WRITE) from None


def _exists_error(path: Path) -> UsageError:
    return UsageError(f"{path} exists already; nothing was written.", "Name another file, or add --overwrite=yes.")
