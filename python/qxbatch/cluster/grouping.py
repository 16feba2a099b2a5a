"""Group units into tasks, and tasks into job arrays, by their sizes."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

SECONDS_EACH = 2.0
"""Shortest duration of an import on a slow CPU."""
BYTES_PER_SECOND = 10e6
"""Bytes of a packet that one slow CPU imports in a second (measured in docs/scaling.md)."""
MARGIN = 4
"""The requested time is the estimate times this factor."""
LEAST_TIME = 1800
"""Seconds."""
STEP = 600
MEMORY = tuple(size << 30 for size in (2, 4, 8, 16, 32, 64))
"""Memory requests; the smallest sufficient one is used."""
BASE_MEMORY = 1 << 30
PER_BYTE = 4
"""Bytes of memory for each byte of a packet: a converter loads an unpacked series and writes it."""


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
    """Tasks with the numbers of their units, and the arrays of tasks."""

    tasks: tuple[tuple[int, ...], ...]
    arrays: tuple[Array, ...]


def estimate(size: int) -> float:
    """Return the estimated seconds of the import of a unit."""
    return SECONDS_EACH + size / BYTES_PER_SECOND


def plan(sizes: Mapping[int, int], minutes: float, largest_array: int, more: int = 1) -> Plan:
    """Return the tasks of units (number to size) of about `minutes` each, with the largest units first.

    `more` multiplies time and memory after a failed attempt.
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
    remaining = 0.0
    for number in sorted(sizes, key=lambda key: (-sizes[key], key)):
        needed = estimate(sizes[number])
        if not tasks or needed > remaining:
            tasks.append([])
            remaining = seconds
        tasks[-1].append(number)
        remaining -= needed
    return tasks


def memory(size: int) -> int:
    """Return the bytes to request for a unit of that size."""
    needed = BASE_MEMORY + PER_BYTE * size
    return next((request for request in MEMORY if request >= needed), MEMORY[-1])


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
    """Return the numbers in a text of `as_ranges`. Raises ValueError.

    >>> of_ranges("3-5,9,1")
    (3, 4, 5, 9, 1)
    """
    numbers: list[int] = []
    for item in filter(None, text.strip().split(",")):
        first, _, last = item.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return tuple(numbers)
