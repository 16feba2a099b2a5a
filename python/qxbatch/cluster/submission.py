"""A submission on disk: `<sessionsfolder>/.qxbatch/jobs/<id>/`, with its options, states, rounds, scripts and logs.

Its units are the packets of one session each. A round is the tasks that are submitted at one time; a task imports some units.
Besides, a round can have a dependent job (END_JOB), which starts after its tasks.
"""

import contextlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from qxbatch.cluster.grouping import SubmissionPlan, format_ranges
from qxbatch.cluster.record_file import FILE_MODE, RECORD_NAME, RecordFile, read_record
from qxbatch.cluster.rounds import Round, append_job, read_round, read_tasks, round_path
from qxbatch.cluster.schedulers import SCHEDULERS, Scheduler
from qxbatch.cluster.state import UnitState, possible_numbers, read_state, write_state
from qxbatch.discover.own_names import WORKSPACE
from qxbatch.os_error import error_text
from qxbatch.problems import UsageError
from qxbatch.publish.below import opened_below, remove_below
from qxbatch.publish.durable import replace_text
from qxbatch.publish.plain_files import refuse_link, refuse_non_folder
from qxbatch.publish.workspace import JOBS
from qxbatch.settings.scheduler import scheduler_spec
from qxbatch.visible import shell_word

SCHEMA = 1
"""Version of the format of a record."""
ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")
"""The id of a submission: date, time, microseconds, and two random digits."""
STATES = "states"
"""The folder of the state files, in the folder of a submission."""
LOGS = "logs"
"""The folder of the logs, in the folder of a submission."""
END_JOB = "end"
"""The name of the dependent job in the file of jobs, where arrays have their numbers. It starts when all arrays have ended."""
REMAINING = "remaining"
"""The name of the task that submits the units that the scheduler refused. The dependent job runs it."""

NEW_SECONDS = 120.0
"""For this many seconds after it was last written, a round may have jobs that are not recorded yet. For as long after it was made,
a submission may get its first round."""

MAX_UNITS = 10**6
"""Maximum number of units of a submission."""
MAX_ROUNDS = 999_999
"""The highest number of a round: names of its files have at most six digits."""
_FIELDS: Mapping[str, type] = {"options": dict, "units": int, "scheduler": str, "cwd": str, "bids_app": bool}
"""Fields that a record must have."""
_LISTS = ("typed", "binds", "found")
"""Lists that a record may have."""


class Submission:
    """A submission: reads and writes the files in its folder.

    Files are written and removed through opened folders: OSErrors include LinkError if a folder below the sessions folder has
    become a link.
    """

    def __init__(self, folder: Path, file: RecordFile) -> None:
        self.folder = folder
        self.record_file = file
        self.record = file.value
        """The options, and what else the jobs need to know about the run that submitted (qxbatch.cluster.record)."""
        self.id = folder.name
        self.states_folder = folder / STATES
        self.job_name = f"qxbatch-{folder.name}"
        self.scheduler: Scheduler = SCHEDULERS[scheduler_spec(str(self.record["scheduler"])).name]

    @property
    def sessionsfolder(self) -> Path:
        """Return the sessions folder it is in."""
        return self.folder.parents[2]

    @property
    def options(self) -> dict[str, str]:
        """Return the options of the import, as the user gave them."""
        return {str(key): str(value) for key, value in self.record["options"].items()}

    @property
    def unit_count(self) -> int:
        """Return the number of its units."""
        return int(self.record["units"])

    @property
    def owner_id(self) -> int:
        """Return the user id of the owner of the record."""
        return self.record_file.owner_id

    @property
    def is_own(self) -> bool:
        """Return whether this user owns the submission."""
        return self.record_file.is_own

    def need_own(self) -> None:
        """Raise UsageError if another user owns its record or can have written it: its options select folders and programs."""
        self._need_owner()
        if self.record_file.is_writable_by_others:
            file = shell_word(str(self.record_file.path))
            raise UsageError(
                f"{self.record_file.path} can be written by other users, and its options select folders and programs.",
                f"Read it; if its options are yours: chmod go-w {file}. Otherwise submit its packets again.",
            )

    def need_unchanged(self, digest: str) -> None:
        """Raise UsageError if the record has another SHA-256 than when the job was submitted, or if another user owns it."""
        self._need_owner()
        if self.record_file.digest != digest:
            raise UsageError(
                f"{self.record_file.path} was changed after this job was submitted; nothing was imported.",
                f"Once none of its jobs runs, remove {self.folder} and submit its packets again.",
            )

    def _need_owner(self) -> None:
        if not self.is_own:
            raise UsageError(
                f"Submission {self.id} was made by user {self.owner_id}.", "Only that user can continue or cancel it."
            )

    def state(self, number: int) -> UnitState:
        """Return the state of a unit. Raises OSError, ValueError."""
        return read_state(self.states_folder, number)

    def write_state(self, state: UnitState) -> None:
        """Replace the state of a unit. Raises OSError."""
        write_state(self.states_folder, state, self.sessionsfolder)

    def all_states(self, on_unreadable: Callable[[str], object] = lambda _: None) -> Iterator[UnitState]:
        """Yield the existing states of units in order. `on_unreadable` gets the reason for each that cannot be read.

        Raises OSError if the folder of the states cannot be listed.
        """
        for number in possible_numbers(self.states_folder, self.unit_count):
            try:
                yield self.state(number)
            except FileNotFoundError:
                continue
            except OSError as error:
                on_unreadable(error_text(error))
            except ValueError as error:
                on_unreadable(f"the state of unit {number} {error}")

    def round_numbers(self) -> list[int]:
        """Return the numbers of its rounds in ascending order. Raises UsageError."""
        try:
            names = os.listdir(self.folder)  # noqa: PTH208 - names
        except OSError as error:
            raise _unreadable(self.folder, error) from error
        matches = (re.fullmatch(r"round-([1-9][0-9]{0,5})\.json", name) for name in names)
        return sorted(int(match[1]) for match in matches if match)

    def round(self, round_number: int) -> Round:
        """Return a round. Raises UsageError."""
        try:
            return read_round(self.folder, round_number, self.unit_count)
        except (OSError, ValueError) as error:
            raise _unreadable(self.folder, error) from error

    def rounds(self) -> list[Round]:
        """Return all rounds, the first one first. Raises UsageError."""
        return [self.round(round_number) for round_number in self.round_numbers()]

    def tasks(self, round_number: int) -> list[tuple[int, ...]]:
        """Return the numbers of the units of each task of a round. Raises UsageError."""
        try:
            return read_tasks(self.folder, round_number, self.unit_count)
        except (OSError, ValueError) as error:
            raise _unreadable(self.folder, error) from error

    def task(self, round_number: int, task: int) -> tuple[int, ...]:
        """Return the numbers of the units of one task. Raises UsageError."""
        tasks = self.tasks(round_number)
        if task >= len(tasks):
            raise UsageError(f"Submission {self.id} has no task {round_number}/{task}.")
        return tasks[task]

    def jobs_path(self, round_number: int) -> Path:
        """Return the file to which the ids of jobs are appended."""
        return round_path(self.folder, round_number, "jobs")

    def script_path(self, round_number: int, name: str) -> Path:
        """Return the path of a script; `name` is the number of the array, or END_JOB."""
        return round_path(self.folder, round_number, f"{name}.sh")

    def log_folder(self, round_number: int, name: str) -> Path:
        """Return the folder of the logs; `name` is the number of the array, or END_JOB."""
        return self.folder / LOGS / f"{round_number}-{name}"

    def make_log_folder(self, round_number: int, name: str) -> Path:
        """Create the folder of the logs (`log_folder`), if it does not exist; return it. Raises OSError."""
        folder = self.log_folder(round_number, name)
        with opened_below(folder, self.sessionsfolder, create=True):
            return folder

    def add_round(self, plan: SubmissionPlan, remaining: Sequence[int] = (), *, printed: bool = False) -> int:
        """Write a new round; return its number. Raises UsageError, OSError.

        `remaining` are the units that the dependent job will submit. `printed`: the user runs the script that submits the round.
        """
        round_number = (self.round_numbers() or [0])[-1] + 1
        if round_number > MAX_ROUNDS:
            raise _unreadable(self.folder, ValueError(f"it has a round {round_number - 1}"))
        self._remove_files(round_number)
        with opened_below(self.folder, self.sessionsfolder) as folder:
            (folder.descriptor_path / self.jobs_path(round_number).name).touch(exist_ok=False)
        self.write_round(round_number, plan, remaining, printed=printed)
        return round_number

    def write_round(
        self, round_number: int, plan: SubmissionPlan, remaining: Sequence[int] = (), *, printed: bool = False
    ) -> None:
        """Write a round, or replace it while it is submitted (arguments: see `add_round`). Raises OSError."""
        lines = "".join(f"{format_ranges(task)}\n" for task in plan.tasks)
        self.write_text(round_path(self.folder, round_number, "tasks"), lines)
        value = {
            "arrays": [list(array) for array in plan.arrays],
            "remaining": format_ranges(remaining),
            "printed": printed,
        }
        self.write_text(round_path(self.folder, round_number, "json"), json.dumps(value, indent=1, sort_keys=True))

    def write_text(self, path: Path, text: str) -> None:
        """Write a file of the submission. An existing file or link of that name is replaced. Raises OSError."""
        with opened_below(self.folder, self.sessionsfolder) as folder:
            replace_text(folder.descriptor_path / path.name, text, os.urandom(8).hex(), FILE_MODE)

    def remove(self) -> None:
        """Remove the submission. Raises OSError."""
        remove_below(self.folder, self.sessionsfolder)

    def remove_round(self, round_number: int) -> None:
        """Remove a round that has no submitted jobs. Raises OSError."""
        remove_below(round_path(self.folder, round_number, "json"), self.sessionsfolder)
        self._remove_files(round_number)

    def _remove_files(self, round_number: int) -> None:
        """Remove the logs of a round whose .json does not exist, and its files of tasks and jobs. Raises OSError.

        Its scripts stay: they show `may_get_first_round` that there was a round.
        """
        for ending in ("tasks", "jobs"):
            remove_below(round_path(self.folder, round_number, ending), self.sessionsfolder)
        logs = self.folder / LOGS
        names: list[str] = []
        with contextlib.suppress(FileNotFoundError), opened_below(logs, self.sessionsfolder) as folder:
            names = os.listdir(folder.descriptor)  # noqa: PTH208 - a descriptor
        for name in names:
            if name.startswith(f"{round_number}-"):
                remove_below(logs / name, self.sessionsfolder)

    def may_get_first_round(self) -> bool:
        """Return whether the submission is so new that it may get its first round at any moment."""
        if any(self.folder.glob("round-*.sh")):  # also that of a round that was removed
            return False
        return _is_recent(self.record_file.path)

    def may_get_jobs(self, round_number: int) -> bool:
        """Return whether a round was written so recently that it may have jobs that are not recorded yet."""
        return _is_recent(round_path(self.folder, round_number, "json"))

    def record_job(self, round_number: int, name: str, job: str) -> None:
        """Append the id of a submitted job; `name` is the number of its array, or END_JOB. Raises OSError."""
        with opened_below(self.folder, self.sessionsfolder) as folder:
            append_job(folder.descriptor_path / self.jobs_path(round_number).name, name, job)


def _is_recent(path: Path) -> bool:
    """Return whether a file was written in the last NEW_SECONDS; False if it is missing."""
    try:
        return time.time() - path.stat().st_mtime < NEW_SECONDS
    except OSError:
        return False


def jobs_folder(sessionsfolder: Path) -> Path:
    """Return the folder of all submissions."""
    return sessionsfolder / WORKSPACE / JOBS


def read_submissions(
    sessionsfolder: Path, on_unreadable: Callable[[UsageError], object] = lambda _: None
) -> list[Submission]:
    """Return the submissions of a sessions folder, sorted by id. `on_unreadable` gets an error for each that cannot be read.

    An id begins with the local time at which it was made, so the earliest ones come first.

    Raises OSError if their folder, or the hidden folder around it, is a link or not a folder.
    """
    top = jobs_folder(sessionsfolder)
    for folder in (top.parent, top):
        refuse_non_folder(folder)
    try:
        names = sorted(name for name in os.listdir(top) if ID.fullmatch(name))  # noqa: PTH208 - names, not paths
    except FileNotFoundError:
        return []
    readable = []
    for name in names:
        try:
            submission = read_submission(top / name)
        except UsageError as error:
            on_unreadable(error)
            continue
        readable += [] if submission is None else [submission]
    return readable


def open_submission(sessionsfolder: Path, name: str) -> Submission:
    """Return the submission of a job, which this user must own: `name` is ID:SHA256 of its record, or ID. Raises UsageError."""
    submission, _, digest = name.partition(":")
    existing = read_submission(jobs_folder(sessionsfolder) / submission) if ID.fullmatch(submission) else None
    if existing is None:
        raise UsageError(
            f"There is no submission {submission} in {sessionsfolder}.", "`qxbatch jobs` lists the submissions."
        )
    if digest:
        existing.need_unchanged(digest)
    else:
        existing.need_own()
    return existing


def read_submission(folder: Path) -> Submission | None:
    """Return the submission in a folder; None if the folder has no record, for example since it was removed. Raises UsageError."""
    try:
        for path in (folder.parents[1], folder.parent, folder, folder / STATES, folder / LOGS):
            refuse_link(path)
        if not os.path.lexists(folder / RECORD_NAME):
            return None
        file = read_record(folder / RECORD_NAME)
        _check(file.value)
        return Submission(folder, file)
    except (OSError, ValueError) as error:
        raise _unreadable(folder, error) from error
    except UsageError as error:
        raise _unreadable(folder, ValueError(f"{RECORD_NAME}: {error.message.rstrip('.')}")) from error


def _check(record: Mapping[str, Any]) -> None:
    """Raise ValueError if this is not the record of a submission."""
    if record.get("schema") != SCHEMA:
        raise ValueError(f"{RECORD_NAME} has the schema {str(record.get('schema'))[:20]}, not {SCHEMA}")
    wrong = [key for key, kind in _FIELDS.items() if type(record.get(key)) is not kind]
    wrong += [key for key in _LISTS if not isinstance(record.get(key, []), list)]
    if wrong or not 0 <= record["units"] <= MAX_UNITS:
        raise ValueError(f"{RECORD_NAME} has no valid value of {(wrong or ['units'])[0]}")


def _unreadable(folder: Path, error: Exception) -> UsageError:
    return UsageError(
        f"Submission {folder.name} cannot be read: {error_text(error)}.",
        f"Once none of its jobs runs, remove {folder} and submit its packets again.",
    )
