"""The order of the lines of one stack: its complete volumes, slice by slice; and its incomplete volumes, which are left out."""

from typing import Any, NamedTuple

from qxbatch.counted import counted
from qxbatch.parrec.header import ParHeader

_KEYS = {
    "image_type_mr": "image type",
    "dynamic scan number": "dynamic",
    "label type": "label",
    "diffusion b value number": "b-value number",
    "diffusion_b_factor": "b-value",
    "gradient orientation number": "gradient",
    "cardiac phase number": "cardiac phase",
    "echo number": "echo",
    "scanning sequence": "sequence",
}
"""Columns that distinguish volumes, and their names in messages. Volumes are in the order of these columns, as in nibabel, but
columns without an order are compared last (`_keys`).
"""
_DIFFUSION = ("diffusion b value number", "diffusion_b_factor", "gradient orientation number")
"""Columns of _KEYS that have an order only in a diffusion scan."""
_MAX_LISTED = 3
"""Incomplete volumes beyond this number are counted, not listed."""


class IncompleteError(ValueError):
    """The lines make no complete volume, or do not show which of them make one volume."""


class CompleteVolumes(NamedTuple):
    """The complete volumes of a stack."""

    line_indices: Any
    """Indices of the lines: volume by volume, slice by slice."""
    slices: int
    """Number of slices of a volume."""
    incomplete_volumes_text: str = ""
    """Text that lists the incomplete volumes; empty if there are none."""


def complete_volumes(lines: Any, *, diffusion: bool) -> CompleteVolumes:
    """Return the lines of the complete volumes of one stack.

    The key of a line is its values in the columns of _KEYS. The lines of a volume have the same key. Lines with the same
    key and slice belong to several volumes, in the order of the table. `diffusion`: it is a diffusion scan, in which the columns
    of _DIFFUSION have an order.

    Raises ValueError when all volumes lack a slice between the first and the last existing slice, and IncompleteError when no
    volume is complete or lines cannot be assigned. Slices that all volumes lack at either end are not detected.
    """
    import numpy as np

    numbers = lines["slice number"]
    slices = _slices(numbers)
    key, names, values = _keys(lines, diffusion=diffusion)
    volume = _volume_of_each_line(key, numbers, slices)
    _, first, volume, counts = np.unique(volume, return_index=True, return_inverse=True, return_counts=True)
    complete = counts == slices
    if not complete.any():
        raise IncompleteError(f"none of {counted(len(counts), 'volume')} has all of its {counted(slices, 'slice')}")
    line_indices = np.lexsort((numbers, volume))
    line_indices = line_indices[complete[volume[line_indices]]]
    check_slice_order(lines[line_indices], slices, key[line_indices])
    return CompleteVolumes(line_indices, slices, _incomplete_text(names, values[first], counts, slices))


def labels_or_phases_alternate(table: Any, header: ParHeader) -> bool:
    """Return whether several dynamic scans have several labels or cardiac phases each, so that these alternate in time.

    Cardiac phases with different trigger times do not count: dcm2niix makes an image of each.
    """
    import numpy as np

    has_trigger_times = len(set(_trigger_times(header))) > 1
    columns = ("label type",) if has_trigger_times else ("label type", "cardiac phase number")
    names = [name for name in columns if name in table.dtype.names]
    dynamics = np.unique(table["dynamic scan number"]).size
    volumes = np.column_stack([table[name] for name in ("dynamic scan number", *names)])
    return 1 < dynamics < len(np.unique(volumes, axis=0))


def _trigger_times(header: ParHeader) -> list[tuple[float, ...]]:
    """Return the trigger time of each line; empty if there are none, or a line has no number there."""
    try:
        return header.column("trigger_time")
    except ValueError:
        return []


def check_slice_order(lines: Any, slices: int, key: Any) -> None:
    """Raise IncompleteError unless each volume has the same consecutive slices, and all of its lines have one key."""
    import numpy as np

    numbers, keys = lines["slice number"].reshape(-1, slices), key.reshape(-1, slices)
    if (numbers != numbers[0]).any() or (np.diff(numbers[0]) != 1).any() or (keys != keys[:, :1]).any():
        raise IncompleteError("the slices of a volume are not in their order")


def _slices(numbers: Any) -> int:
    """Return the number of different slice numbers.

    Raises ValueError when a number between the lowest and the highest one is missing: the slices after the gap would move into
    it. Slices that are missing before the lowest or after the highest number are not detected.
    """
    different, first, last = len(set(numbers.tolist())), int(numbers.min()), int(numbers.max())
    if different != last - first + 1:
        raise ValueError(f"slices are missing: {different} of {first} to {last} exist")
    return different


def _keys(lines: Any, *, diffusion: bool) -> tuple[Any, list[str], Any]:
    """Return a number for the key of each line, the names of the columns that vary, and their values in each line.

    Lines with the same key have the same number, and a lower number is that of an earlier volume.

    Columns without an order, such as the sequence, come after the others. Their values are in the order in which they first occur
    in the table.
    """
    import numpy as np

    names = [name for name in _KEYS if name in lines.dtype.names]
    if "diffusion b value number" in names:
        names.remove("diffusion_b_factor")
    unordered = {"scanning sequence", *(() if diffusion else _DIFFUSION)}
    names.sort(key=lambda name: name in unordered)
    names = [name for name in names if (lines[name] != lines[name][0]).any()]
    # the last column stays 0: it exists even if no column varies
    ranks = np.zeros((len(lines), len(names) + 1), dtype=int)
    for column, name in enumerate(names):
        _, first, rank = np.unique(lines[name], return_index=True, return_inverse=True)
        ranks[:, column] = np.argsort(np.argsort(first))[rank] if name in unordered else rank
    _, key = np.unique(ranks, axis=0, return_inverse=True)
    values = np.zeros((len(lines), len(names)))
    for column, name in enumerate(names):
        values[:, column] = lines[name]
    return key.reshape(-1), names, values


def _volume_of_each_line(key: Any, numbers: Any, slices: int) -> Any:
    """Return a number for each line, equal for all lines of one volume. The volumes of a smaller key have smaller numbers.

    Several lines with one key and slice are repetitions: the n-th of them belongs to the n-th volume of this key.

    Raises IncompleteError when several volumes have one key and slices are missing, because the lines do not show which
    volume lacks slices. If only the end of the last volume is missing, it is known which one.
    """
    import numpy as np

    by_slice = np.lexsort((numbers, key))
    new = np.ones(len(key), dtype=bool)
    new[1:] = (np.diff(key[by_slice]) != 0) | (np.diff(numbers[by_slice]) != 0)
    position = np.arange(len(key))
    repetition = np.empty(len(key), dtype=int)
    repetition[by_slice] = position - np.maximum.accumulate(np.where(new, position, 0))
    if not repetition.any():
        return key
    by_key = np.argsort(key, kind="stable")
    for indices in np.split(by_key, np.flatnonzero(np.diff(key[by_key])) + 1):
        repetitions = repetition[indices]
        complete = len(indices) == (repetitions.max() + 1) * slices
        if repetitions.max() and not complete and not _lacks_only_the_end(numbers[indices], repetitions, slices):
            raise IncompleteError("slices are missing, and several volumes have the same key")
    return key * (int(repetition.max()) + 1) + repetition


def _lacks_only_the_end(numbers: Any, repetitions: Any, slices: int) -> bool:
    """Return whether volumes follow each other, with increasing or decreasing slices, and only the end of the last is missing."""
    import numpy as np

    position = np.arange(len(numbers))
    steps = np.unique(np.diff(numbers[:slices]))
    follow = (repetitions == position // slices).all() and (numbers == numbers[position % slices]).all()
    return bool(follow and steps.size == 1 and abs(steps[0]) == 1)


def _incomplete_text(names: list[str], values: Any, counts: Any, slices: int) -> str:
    """Return the incomplete volumes: `2 of 3 volumes are complete; left out: 8 of 9 slices of dynamic 3`; else an empty text."""
    import numpy as np

    partial = np.flatnonzero(counts != slices).tolist()
    if not partial:
        return ""
    listed = []
    for volume in partial[:_MAX_LISTED]:
        key = ", ".join(f"{_KEYS[name]} {value:g}" for name, value in zip(names, values[volume], strict=True))
        listed.append(f"{counts[volume]} of {slices} slices of {key or 'the last volume'}")
    more = len(partial) - _MAX_LISTED
    listed += [f"{counted(more, 'more volume')}"] if more > 0 else []
    complete_count = len(counts) - len(partial)
    verb = "is" if complete_count == 1 else "are"
    return f"{complete_count} of {counted(len(counts), 'volume')} {verb} complete; left out: {'; '.join(listed)}"
