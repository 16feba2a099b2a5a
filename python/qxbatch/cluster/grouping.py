"""Units put together into tasks, and tasks into job arrays. Pure: sizes in, numbers out."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

SECONDS_EACH = 2.0
"""An import takes at least so long, on a slow CPU."""
BYTES_PER_SECOND = 10e6
"""Bytes of a packet that one slow CPU imports in a second (docs/scaling.md has what was measured)."""
MARGIN = 4
"""So many times the estimate is requested as time."""
LEAST_TIME = 1800
"""Seconds."""
STEP = 600
MEMORY = tuple(each << 30 for each in (2, 4, 8, 16, 32, 64))
"""What is requested: the first that suffices."""
OWN_MEMORY = 1 << 30
PER_BYTE = 4
"""A converter holds a series unpacked, and writes it: so many bytes for each byte of a packet."""


class Array(NamedTuple):
    """A job array: consecutive tasks with equal requests."""

    first: int
    """Its first task."""
    size: int
    mem: int
    """Bytes for each task."""
    seconds: int
    """Time limit."""


class Plan(NamedTuple):
    """Tasks, each with the numbers of its units, and the arrays they belong to."""

    tasks: tuple[tuple[int, ...], ...]
    arrays: tuple[Array, ...]


def estimate(size: int) -> float:
    """Return how many seconds the import of a unit may take."""
    return SECONDS_EACH + size / BYTES_PER_SECOND


def plan(sizes: Mapping[int, int], minutes: float, largest_array: int, more: int = 1) -> Plan:
    """Return the tasks of these units (number to size): each works about so many minutes, the largest units first.

    `more` multiplies time and memory, where an earlier attempt did not suffice.
    """
    tasks = [tuple(task) for task in _tasks(sizes, minutes * 60)]
    arrays: list[Array] = []
    for k, task in enumerate(tasks):
        mem = memory(max(sizes[number] for number in task) * more)
        seconds = time_limit(sum(estimate(sizes[number]) for number in task) * more)
        last = arrays[-1] if arrays else None
        if last is not None and last.mem == mem and last.size < largest_array:
            arrays[-1] = last._replace(size=last.size + 1, seconds=max(last.seconds, seconds))
        else:
            arrays.append(Array(k, 1, mem, seconds))
    return Plan(tuple(tasks), tuple(arrays))


def _tasks(sizes: Mapping[int, int], seconds: float) -> Sequence[Sequence[int]]:
    tasks: list[list[int]] = []
    left = 0.0
    for number in sorted(sizes, key=lambda each: (-sizes[each], each)):
        needed = estimate(sizes[number])
        if not tasks or needed > left:
            tasks.append([])
            left = seconds
        tasks[-1].append(number)
        left -= needed
    return tasks


def memory(size: int) -> int:
    """Return the bytes to request for a unit of that size."""
    needed = OWN_MEMORY + PER_BYTE * size
    return next((each for each in MEMORY if each >= needed), MEMORY[-1])


def time_limit(seconds: float) -> int:
    """Return the seconds to request for an estimate."""
    return max(LEAST_TIME, STEP * math.ceil(MARGIN * seconds / STEP))


def as_ranges(numbers: Sequence[int]) -> str:
    """Return numbers as text, in their order.

    >>> as_ranges([3, 4, 5, 9, 1])
    '3-5,9,1'
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(f"{a}-{b}" if b > a else f"{a}" for a, b in runs)


def of_ranges(text: str) -> tuple[int, ...]:
    """Read what `as_ranges` wrote. Raises ValueError.

    >>> of_ranges("3-5,9,1")
    (3, 4, 5, 9, 1)
    """
    numbers: list[int] = []
    for item in filter(None, text.strip().split(",")):
        first, _, last = item.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return tuple(numbers)
