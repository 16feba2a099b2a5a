"""Writes a new submission."""

import contextlib
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qxbatch.cluster.record_file import FILE_MODE, RECORD_NAME
from qxbatch.cluster.state import UnitState, write_new_states
from qxbatch.cluster.submission import ID, SCHEMA, STATES, Submission, jobs_folder, read_submission
from qxbatch.exits import ExitStatus
from qxbatch.problems import UsageError
from qxbatch.publish.below import opened_below, remove_below, retry
from qxbatch.publish.durable import write_json
from qxbatch.publish.open_folders import opened_in
from qxbatch.publish.plain_files import MOST_BYTES_IN_MEMORY, InTheWayError

_NEW = ".new"
"""The ending of the hidden name of a submission while it is written."""


def new_submission(sessionsfolder: Path, record: Mapping[str, Any], states: list[UnitState]) -> Submission:
    """Write a submission; it becomes visible when it is complete. Raises OSError, UsageError."""
    now = time.time_ns()
    # with microseconds, so that two submissions in one second sort by time
    name = (
        f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now // 10**9))}-{now // 1000 % 10**6:06d}{os.urandom(1).hex()}"
    )
    top = jobs_folder(sessionsfolder)
    new = top / f".{name}{_NEW}"
    _create_folder(new, sessionsfolder)
    try:
        with opened_below(top, sessionsfolder) as jobs:
            with opened_in(jobs, (new.name,)) as folder:
                with opened_in(folder, (STATES,), create=True) as states_folder:
                    write_new_states(states_folder, states)
                path = folder.descriptor_path / RECORD_NAME
                write_json(path, {"schema": SCHEMA, **record, "units": len(states)}, FILE_MODE)
                _refuse_too_long(path, record)
            (jobs.descriptor_path / new.name).rename(jobs.descriptor_path / name)
    except BaseException as error:
        with contextlib.suppress(OSError):
            remove_below(new, sessionsfolder)
        if isinstance(error, FileExistsError | InTheWayError):
            raise _not_alone(error) from None
        raise
    submission = read_submission(top / name)
    assert submission is not None
    return submission


def remove_unfinished(sessionsfolder: Path) -> None:
    """Remove submissions of killed runs that were not complete. The caller holds the lock of a run that submits.

    One that cannot be removed, for example that of another user, stays.
    """
    top = jobs_folder(sessionsfolder)
    with contextlib.suppress(OSError), opened_below(top, sessionsfolder) as jobs:
        for name in os.listdir(jobs.descriptor):  # noqa: PTH208 - a descriptor
            if name.startswith(".") and name.endswith(_NEW) and ID.fullmatch(name[1 : -len(_NEW)]):
                with contextlib.suppress(OSError):
                    remove_below(top / name, sessionsfolder)


def _not_alone(error: OSError) -> UsageError:
    """Return the error for a file or link that appeared in the folder of a submission before the file of that name was written."""
    return UsageError(
        f"Another program wrote {error.filename} while this submission was written.",
        "Nothing was submitted. Submit the packets again.",
        ExitStatus.CANNOT_WRITE,
    )


def _refuse_too_long(path: Path, record: Mapping[str, Any]) -> None:
    """Raise UsageError if the file of a record is longer than what is read."""
    if path.stat().st_size > MOST_BYTES_IN_MEMORY:
        raise UsageError(
            f"{len(record['found'])} entries are not ready: their names and reasons do not fit into the "
            f"{MOST_BYTES_IN_MEMORY >> 20} MiB of a submission's record.",
            "Nothing was submitted. Move entries that are not imported out of the inbox.",
        )


def _create_folder(folder: Path, sessionsfolder: Path) -> None:
    """Create a folder and its parents, even if another run removes an empty one of these at the same time. Raises OSError."""

    def create() -> None:
        with opened_below(folder, sessionsfolder, create=True):
            pass

    retry(create)
