"""Groups units (the packets of one session) into tasks, and tasks into job arrays, by the sizes of the packets."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

BASE_SECONDS = 2.0
"""Seconds that an import takes on a slow CPU in addition to the time for the packet's bytes."""
BYTES_PER_SECOND = 10e6
"""Bytes of a packet that one slow CPU imports in a second."""
TIME_FACTOR = 4
"""The requested time is the estimated time multiplied by this factor."""
MIN_TIME_LIMIT = 1800
"""Smallest time limit that is requested, in seconds."""
TIME_STEP = 600
"""Time limits are multiples of this number of seconds."""
MEMORY_REQUESTS = tuple(size << 30 for size in (2, 4, 8, 16, 32, 64))
"""Bytes that a task may request; the smallest sufficient request is used."""
BASE_MEMORY = 1 << 30
"""Bytes of memory that an import needs in addition to the memory for the packet's bytes."""
MEMORY_PER_BYTE = 4
"""Bytes of memory for each byte of a packet: a converter loads an unpacked series and writes it."""


class JobArray(NamedTuple):
    """A job array: consecutive tasks that request the same memory and time."""

    first: int
    """Number of its first task."""
    size: int
    """Number of its tasks."""
    mem: int
    """Bytes for each task."""
    seconds: int
    """Time limit for each task."""


class SubmissionPlan(NamedTuple):
    """The tasks of a submission or of one of its rounds, and the job arrays that contain them."""

    tasks: tuple[tuple[int, ...], ...]
    """The numbers of the units of each task."""
    arrays: tuple[JobArray, ...]


def estimated_seconds(size: int) -> float:
    """Return the estimated seconds to import a unit of that size in bytes."""
    return BASE_SECONDS + size / BYTES_PER_SECOND


def plan_tasks(sizes: Mapping[int, int], minutes: float, max_array_size: int, retry_factor: int = 1) -> SubmissionPlan:
    """Return tasks, the largest units first, and their arrays. `sizes` maps unit numbers to bytes.

    `minutes` bounds the estimated time of a task; a unit whose import takes longer is the only one of its task. `max_array_size` is
    the maximum number of tasks of an array. `retry_factor` increases the requests, but does not change the tasks: it multiplies the
    estimated time from which the time limit is computed, and the sizes from which memory is estimated.
    """
    tasks = [tuple(task) for task in _tasks(sizes, minutes * 60)]
    arrays: list[JobArray] = []
    for k, task in enumerate(tasks):
        mem = memory_request(max(sizes[number] for number in task) * retry_factor)
        seconds = time_limit(sum(estimated_seconds(sizes[number]) for number in task) * retry_factor)
        last = arrays[-1] if arrays else None
        if last is not None and last.mem == mem and last.size < max_array_size:
            arrays[-1] = last._replace(size=last.size + 1, seconds=max(last.seconds, seconds))
        else:
            arrays.append(JobArray(k, 1, mem, seconds))
    return SubmissionPlan(tuple(tasks), tuple(arrays))


def _tasks(sizes: Mapping[int, int], seconds: float) -> Sequence[Sequence[int]]:
    tasks: list[list[int]] = []
    remaining = 0.0
    for number in sorted(sizes, key=lambda key: (-sizes[key], key)):
        needed = estimated_seconds(sizes[number])
        if not tasks or needed > remaining:
            tasks.append([])
            remaining = seconds
        tasks[-1].append(number)
        remaining -= needed
    return tasks


def memory_request(size: int) -> int:
    """Return the bytes to request for a unit of that size; at most the largest request."""
    needed = BASE_MEMORY + MEMORY_PER_BYTE * size
    return next((request for request in MEMORY_REQUESTS if request >= needed), MEMORY_REQUESTS[-1])


def time_limit(seconds: float) -> int:
    """Return the time limit in seconds to request for an estimated duration."""
    return max(MIN_TIME_LIMIT, TIME_STEP * math.ceil(TIME_FACTOR * seconds / TIME_STEP))


def format_ranges(numbers: Sequence[int]) -> str:
    """Return numbers as text, in the order given; consecutive ones are a range.

    >>> format_ranges([3, 4, 5, 9, 1])
    '3-5,9,1'
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(f"{a}-{b}" if b > a else f"{a}" for a, b in runs)


def parse_ranges(text: str, below: int) -> tuple[int, ...]:
    """Return the numbers in a text that `format_ranges` wrote.

    Raises ValueError for other text, for numbers that are not less than `below`, and for more than `below` numbers.

    >>> parse_ranges("3-5,9,1", 10)
    (3, 4, 5, 9, 1)
    """
    numbers: list[int] = []
    for item in filter(None, text.strip().split(",")):
        first, _, last = item.partition("-")
        new = range(int(first), int(last or first) + 1)
        if not new or new.stop > below or len(numbers) + len(new) > below:
            raise ValueError(f"{item[:20]} are not numbers of units")
        numbers += new
    return tuple(numbers)
