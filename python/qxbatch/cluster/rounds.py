"""The files of a round of a submission. They are checked, since everybody who may write to the sessions folder can change them."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from qxbatch.cluster.grouping import JobArray, parse_ranges
from qxbatch.cluster.schedulers import is_job_id
from qxbatch.publish.plain_files import read_json_object, read_plain
from qxbatch.textfile import naming_path


class Round(NamedTuple):
    """Tasks that are submitted at one time, and the units (the packets of one session each) that the scheduler refused then.

    Round 1 has the units that were ready; later rounds have units that still have no result, or that failed.
    """

    number: int
    arrays: tuple[JobArray, ...]
    jobs: Mapping[str, str]
    """Maps the number of each array, and `end` for the dependent job, which starts after the arrays, to the id of the job."""
    remaining_units: tuple[int, ...]
    """Numbers of the units that the dependent job submits."""
    has_printed_script: bool
    """Whether the script that submits the round was printed (--print-script): the jobs are known after the user has run it."""

    def job_of(self, task: int) -> tuple[str, int] | None:
        """Return the job id of a task, and the index in its array (from 0); None while the task has no job."""
        for k, array in enumerate(self.arrays):
            if array.first <= task < array.first + array.size:
                job = self.jobs.get(str(k))
                return None if job is None else (job, task - array.first)
        return None


def round_path(folder: Path, number: int, ending: str) -> Path:
    """Return the path of a file of a round."""
    return folder / f"round-{number}.{ending}"


def read_round(folder: Path, number: int, unit_count: int) -> Round:
    """Return a round of a submission. Raises OSError, ValueError."""
    value = read_json_object(round_path(folder, number, "json"))
    try:
        arrays = tuple(JobArray(*fields) for fields in value["arrays"])
        remaining, printed = value["remaining"], value["printed"]
    except (KeyError, TypeError) as error:
        raise ValueError(f"{round_path(folder, number, 'json').name} is not a round: {error}") from error
    if not _are_arrays(arrays, unit_count) or not isinstance(remaining, str) or not isinstance(printed, bool):
        raise ValueError(f"{round_path(folder, number, 'json').name} is not a round")
    jobs = _read_jobs(round_path(folder, number, "jobs"))
    return Round(number, arrays, jobs, parse_ranges(remaining, unit_count), printed)


def _read_jobs(path: Path) -> dict[str, str]:
    text = read_plain(path)
    if text is None:
        if os.path.lexists(path):
            raise ValueError(f"{path.name} is not a regular file")
        return {}
    jobs = dict(line.split(" ", 1) for line in text.decode("ascii", "replace").splitlines() if " " in line)
    wrong = [job for job in jobs.values() if not is_job_id(job)]
    if wrong:
        raise ValueError(f"{path.name} names {wrong[0][:20]!r}, which is not the id of a job")
    return jobs


def append_job(path: Path, name: str, job: str) -> None:
    """Append the id of a submitted job to the file of jobs of a round; `name` is a key of `Round.jobs`. Raises OSError."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o666)
    with naming_path(path), os.fdopen(descriptor, "a", encoding="ascii") as file:
        file.write(f"{name} {job}\n")


def _are_arrays(arrays: Sequence[JobArray], unit_count: int) -> bool:
    """Return whether the arrays contain consecutive tasks from 0, at most as many as there are units."""
    if not all(type(field) is int and field >= 0 for array in arrays for field in array):
        return False
    ends = [0, *(array.first + array.size for array in arrays)]
    return all(array.size > 0 and array.first == end for array, end in zip(arrays, ends, strict=False)) and (
        ends[-1] <= unit_count
    )


def read_tasks(folder: Path, number: int, unit_count: int) -> list[tuple[int, ...]]:
    """Return the numbers of the units of each task of a round. Raises OSError, ValueError."""
    path = round_path(folder, number, "tasks")
    text = read_plain(path)
    if text is None:
        raise ValueError(f"{path.name} is missing, or is not a regular file")
    tasks: list[tuple[int, ...]] = []
    remaining = unit_count
    for line in text.decode("ascii").splitlines():
        tasks.append(parse_ranges(line, unit_count))
        remaining -= len(tasks[-1])
        if remaining < 0:
            raise ValueError(f"{path.name} names units twice")
    return tasks
