"""A submission on disk: `<sessionsfolder>/.qxbatch/jobs/<id>/`, with its options, states, rounds, scripts and logs."""

import itertools
import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from qxbatch.cluster.grouping import Array, Plan, format_ranges, parse_ranges
from qxbatch.cluster.state import UnitState, read_state, write_new_states, write_state
from qxbatch.discover.own_names import WORKSPACE
from qxbatch.problems import UsageError
from qxbatch.publish.durable import make_folder, remove_tree, replaced_text, write_json
from qxbatch.publish.plain import read_plain, refuse_link
from qxbatch.publish.workspace import JOBS

SCHEMA = 1
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")
RECORD = "submission.json"
STATES = "states"
LOGS = "logs"
END_JOB = "end"
"""The dependent job in the list of jobs."""


NEW_SECONDS = 120.0
"""Longest time that submitting takes, in seconds."""


class Round(NamedTuple):
    """One round of submitted tasks: the first, or that of a resume."""

    number: int
    arrays: tuple[Array, ...]
    jobs: Mapping[str, str]
    """Number of the array (or END_JOB) to the id of its job."""
    remaining: tuple[int, ...]
    """Units that the dependent job submits."""
    printed: bool
    """The script was printed; jobs are known after the user has run it."""

    def job_of(self, task: int) -> tuple[str, int] | None:
        """Return the job of a task and its index in the array (from 0); None while it has none."""
        for k, array in enumerate(self.arrays):
            if array.first <= task < array.first + array.size:
                job = self.jobs.get(str(k))
                return None if job is None else (job, task - array.first)
        return None


class Submission:
    """A submission, by its folder."""

    def __init__(self, folder: Path, record: Mapping[str, Any]) -> None:
        self.folder = folder
        self.record = record
        self.id = folder.name
        self.states = folder / STATES
        self.job_name = f"qxbatch-{folder.name}"

    @property
    def sessionsfolder(self) -> Path:
        """Return the sessions folder it is in."""
        return self.folder.parents[2]

    @property
    def options(self) -> dict[str, str]:
        """Return the options of the import, as the user gave them."""
        return {str(key): str(value) for key, value in self.record["options"].items()}

    @property
    def size(self) -> int:
        """Return the number of its units."""
        return int(self.record["units"])

    @property
    def user(self) -> int:
        """Return the user id of the owner of the record, which no other user can have written."""
        return (self.folder / RECORD).lstat().st_uid

    @property
    def is_own(self) -> bool:
        """Return whether this user owns the submission."""
        return self.user == os.geteuid()

    def need_own(self) -> None:
        """Raise UsageError if another user owns it: its options select programs that would run as this user."""
        if not self.is_own:
            raise UsageError(
                f"Submission {self.id} was made by user {self.user}.", "Only that user can continue or cancel it."
            )

    def state(self, number: int) -> UnitState:
        """Return the state of a unit. Raises OSError, ValueError."""
        return read_state(self.states, number)

    def write(self, state: UnitState) -> None:
        """Replace the state of a unit."""
        write_state(self.states, state)

    def all_states(self) -> Iterator[UnitState]:
        """Yield the states of all units in their order; unreadable files are skipped."""
        for number in range(self.size):
            try:
                yield self.state(number)
            except (OSError, ValueError):
                continue

    def round_numbers(self) -> list[int]:
        """Return the numbers of its rounds."""
        matches = (re.fullmatch(r"round-(\d+)\.json", name) for name in os.listdir(self.folder))  # noqa: PTH208 - names
        return sorted(int(match[1]) for match in matches if match)

    def round(self, number: int) -> Round:
        """Return a round. Raises OSError, ValueError."""
        value = json.loads(read_plain(self._path(number, "json")) or b"null")
        if not isinstance(value, dict):
            raise ValueError(f"round {number} of {self.folder} cannot be read")  # noqa: TRY004 - of a file
        text = (read_plain(self._path(number, "jobs")) or b"").decode("ascii", "replace")
        jobs = dict(line.split(" ", 1) for line in text.splitlines() if " " in line)
        arrays = tuple(Array(*fields) for fields in value["arrays"])
        return Round(number, arrays, jobs, parse_ranges(value["remaining"]), bool(value["printed"]))

    def rounds(self) -> list[Round]:
        """Return all rounds, the first one first."""
        return [self.round(number) for number in self.round_numbers()]

    def tasks(self, number: int) -> list[tuple[int, ...]]:
        """Return the units of each task of a round."""
        return [parse_ranges(line) for line in self._lines(number)]

    def task(self, number: int, task: int) -> tuple[int, ...]:
        """Return the units of one task. Raises UsageError."""
        line = next(itertools.islice(self._lines(number), task, None), None)
        if line is None:
            raise UsageError(f"Submission {self.id} has no task {number}/{task}.")
        return parse_ranges(line)

    def _lines(self, number: int) -> Iterator[str]:
        with self._path(number, "tasks").open(encoding="ascii") as file:
            yield from file

    def _path(self, number: int, ending: str) -> Path:
        return self.folder / f"round-{number}.{ending}"

    def jobs_path(self, number: int) -> Path:
        """Return the file to which the ids of jobs are appended."""
        return self._path(number, "jobs")

    def script_path(self, number: int, name: str) -> Path:
        """Return the path of a script of a round."""
        return self._path(number, f"{name}.sh")

    def log_folder(self, number: int, name: str) -> Path:
        """Return the folder of the logs of an array, or of the dependent job."""
        return self.folder / LOGS / f"{number}-{name}"

    def add_round(self, plan: Plan, remaining: Sequence[int] = (), *, printed: bool = False) -> int:
        """Write a new round; return its number."""
        number = (self.round_numbers() or [0])[-1] + 1
        self._remove_files(number)
        self.jobs_path(number).touch(exist_ok=False)
        self.write_round(number, plan, remaining, printed=printed)
        return number

    def write_round(self, number: int, plan: Plan, remaining: Sequence[int] = (), *, printed: bool = False) -> None:
        """Write a round, or replace it while it is submitted."""
        lines = "".join(f"{format_ranges(task)}\n" for task in plan.tasks)
        self.write_text(self._path(number, "tasks"), lines)
        value = {
            "arrays": [list(array) for array in plan.arrays],
            "remaining": format_ranges(remaining),
            "printed": printed,
        }
        write_json(self._path(number, "json"), value)

    def write_text(self, path: Path, text: str) -> None:
        """Write a file of the submission; one of that name is replaced, also a link."""
        replaced_text(path, text, os.urandom(8).hex())

    def remove_round(self, number: int) -> None:
        """Remove a round without submitted jobs."""
        self._path(number, "json").unlink(missing_ok=True)
        self._remove_files(number)

    def _remove_files(self, number: int) -> None:
        """Remove the files of a round that does not exist, and its logs: whoever wrote them, they may be links."""
        for ending in ("tasks", "jobs"):
            remove_tree(self._path(number, ending))
        logs = self.folder / LOGS
        for name in os.listdir(logs) if logs.is_dir() else ():  # noqa: PTH208 - names
            if name.startswith(f"{number}-"):
                remove_tree(logs / name)

    def is_new(self, number: int) -> bool:
        """Return whether a round is so new that its jobs may not be recorded yet."""
        try:
            return time.time() - self._path(number, "json").stat().st_mtime < NEW_SECONDS
        except OSError:
            return False

    def note_job(self, number: int, name: str, job: str) -> None:
        """Append the id of a submitted job."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(self.jobs_path(number), flags, 0o666)
        with os.fdopen(descriptor, "a", encoding="ascii") as file:
            file.write(f"{name} {job}\n")


def jobs_folder(sessionsfolder: Path) -> Path:
    """Return the folder of all submissions."""
    return sessionsfolder / WORKSPACE / JOBS


def submissions(sessionsfolder: Path) -> list[Submission]:
    """Return the submissions of a sessions folder, the earliest first. Raises OSError where their folder is a link."""
    top = jobs_folder(sessionsfolder)
    refuse_link(top)
    try:
        names = sorted(name for name in os.listdir(top) if _ID.fullmatch(name))  # noqa: PTH208 - names, not paths
    except FileNotFoundError:
        return []
    readable = (_read(top / name) for name in names)
    return [submission for submission in readable if submission is not None]


def open_submission(sessionsfolder: Path, submission: str) -> Submission:
    """Return the submission with this id, which this user must own. Raises UsageError."""
    existing = _read(jobs_folder(sessionsfolder) / submission) if _ID.fullmatch(submission) else None
    if existing is None:
        raise UsageError(
            f"There is no submission {submission} in {sessionsfolder}.", "`qxbatch jobs` lists the submissions."
        )
    existing.need_own()
    return existing


def _read(folder: Path) -> Submission | None:
    try:
        for path in (folder, folder / STATES, folder / LOGS):
            refuse_link(path)
        value = json.loads(read_plain(folder / RECORD) or b"null")
    except (OSError, ValueError, RecursionError):
        return None
    good = isinstance(value, dict) and value.get("schema") == SCHEMA and isinstance(value.get("options"), dict)
    return Submission(folder, value) if good and isinstance(value.get("units"), int) else None


def new_submission(sessionsfolder: Path, record: Mapping[str, Any], states: list[UnitState]) -> Submission:
    """Write a submission; it becomes visible when it is complete. Raises OSError."""
    now = time.time_ns()
    # with microseconds, so that two submissions in one second sort by time
    name = (
        f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now // 10**9))}-{now // 1000 % 10**6:06d}{os.urandom(1).hex()}"
    )
    top = jobs_folder(sessionsfolder)
    new = top / f".{name}.new"
    make_folder(new)
    try:
        write_new_states(new / STATES, states)
        write_json(new / RECORD, {"schema": SCHEMA, **record, "units": len(states)})
        new.rename(top / name)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    submission = _read(top / name)
    assert submission is not None
    return submission
