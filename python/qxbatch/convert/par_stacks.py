"""Splits a PAR's images into stacks of one NIfTI each: by plane, echo, image type, diffusion average and position."""

import re
from typing import Any, NamedTuple

from qxbatch.convert.par_geometry import stack_masks
from qxbatch.parrec.header import ParHeader

_TYPES = {0: "", 1: "_real", 2: "_imaginary", 3: "_ph", 18: "_fieldmaphz"}
"""Suffix of each value of the column image_type_mr."""
_STACK_SUFFIX = re.compile(r"_stack(\d+)")
_ECHO_TIME_DECIMALS = 2
"""Decimals of an echo time, in ms, that distinguish images."""
MAX_STACKS = 1000
"""Limit on the combinations of plane, echo, type and average in a PAR. A scan has some hundred echoes at most."""
_ORIENTATIONS = {1: "_tra", 2: "_sag", 3: "_cor"}
"""Suffix of each value of the column slice orientation."""


class ParStack(NamedTuple):
    """The lines of a PAR whose images become one NIfTI."""

    suffix: str
    """Its suffix in dcm2niix's notation: `_e2`, `_ph`, `_ADC`; `_stack2` for the second of several positions."""
    line_mask: Any
    """Mask of its lines in the image table."""


def stacks(header: ParHeader, table: Any) -> list[ParStack]:
    """Return the stacks of a PAR in the order of their suffixes.

    Raises ValueError for more than MAX_STACKS combinations of plane, echo, type and average, and when an unknown plane leaves the
    positions of slices undefined.
    """
    import numpy as np

    keys, key_index = np.unique(np.column_stack(_keys(header, table)), axis=0, return_inverse=True)
    if len(keys) > MAX_STACKS:
        raise ValueError(
            f"the PAR has {len(keys)} images of different planes, echoes and types, more than {MAX_STACKS}"
        )
    planes, echoes, kind = np.unique(keys[:, 0]), np.unique(keys[:, 1]), keys[:, 2]
    by_suffix = {}
    for index, key in enumerate(keys.tolist()):
        line_mask = key_index.reshape(-1) == index
        plane_suffix = _ORIENTATIONS.get(key[0], f"_o{key[0]}") if planes.size > 1 else ""
        kind_suffix = f"_e{key[1]}" if echoes.size > 1 else ""
        kind_suffix += _TYPES.get(key[2], f"_t{key[2]}" if np.unique(kind).size > 1 else "")
        kind_suffix += "_ADC" if key[3] else ""
        stack_masks_of_key = stack_masks(table[line_mask])
        for number, stack_mask in enumerate(stack_masks_of_key, 1):
            suffix = plane_suffix + (f"_stack{number}" if len(stack_masks_of_key) > 1 else "") + kind_suffix
            by_suffix[suffix] = ParStack(suffix, _table_mask(line_mask, stack_mask))
    return [by_suffix[suffix] for suffix in sorted(by_suffix)]


def stack_number(suffix: str) -> int:
    """Return the number of a stack among those at different positions, 0 without one.

    >>> stack_number("_tra_stack2_e1"), stack_number("_e1")
    (2, 0)
    """
    match = _STACK_SUFFIX.search(suffix)
    return int(match[1]) if match else 0


def _table_mask(line_mask: Any, stack_mask: Any) -> Any:
    """Return the mask of the whole table for a mask of the lines in `line_mask`."""
    mask = line_mask.copy()
    mask[line_mask] = stack_mask
    return mask


def _keys(header: ParHeader, table: Any) -> tuple[Any, Any, Any, Any]:
    """Return plane, echo, image type and whether it is an average (0 or 1), each as an array of all lines."""
    import numpy as np

    is_average = np.zeros(len(table), dtype=int)
    if (header.integer("diffusion") or 0) and "diffusion" in table.dtype.names:
        weighted = table["diffusion_b_factor"] > 0
        directed = np.linalg.norm(table["diffusion"], axis=1) > 0
        if (weighted & directed).any():  # b-values without a direction are then averages (trace), not measurements
            is_average = (weighted & ~directed).astype(int)
    return table["slice orientation"], _echoes(table), table["image_type_mr"], is_average


def _echoes(table: Any) -> Any:
    """Return the echo number of each line.

    If an echo number of an image type has several echo times, the pairs of echo number and echo time are numbered instead.
    """
    import numpy as np

    numbers, times = table["echo number"], table["echo_time"].round(_ECHO_TIME_DECIMALS)
    groups = np.column_stack([numbers, table["image_type_mr"]])
    known = times > 0  # 0 means unknown
    if len(np.unique(np.column_stack([groups, times])[known], axis=0)) == len(np.unique(groups[known], axis=0)):
        return numbers
    return np.unique(np.column_stack([numbers, times]), axis=0, return_inverse=True)[1].reshape(-1) + 1


def scaling_varies(table: Any) -> bool:
    """Return whether images of one type, sequence and echo have more than one scaling."""
    import numpy as np

    scaling = np.column_stack([table[name] for name in ("rescale intercept", "rescale slope", "scale slope")])
    groups = np.column_stack([table[name] for name in ("image_type_mr", "scanning sequence", "echo number")])
    return len(np.unique(np.column_stack([groups, scaling]), axis=0)) > len(np.unique(groups, axis=0))


def orientation_varies(table: Any) -> bool:
    """Return whether the slices are in more than one plane (a survey)."""
    import numpy as np

    return bool(np.unique(table["slice orientation"]).size > 1)
