"""Splits a PAR's images into stacks of one NIfTI each: by orientation, echo and image type; averages of diffusion apart."""

import warnings
from typing import Any, NamedTuple

from qxbatch.importing import importing
from qxbatch.parrec.header import ParHeader

_TYPES = {0: "", 1: "_real", 2: "_imaginary", 3: "_ph"}
_ORIENTATIONS = {1: "_tra", 2: "_sag", 3: "_cor"}


class ParStack(NamedTuple):
    """Images for one NIfTI."""

    suffix: str
    """Its suffix in dcm2niix's notation: `_e2`, `_ph`, `_ADC`."""
    chosen: Any
    """Mask of the image table."""
    several_orientations: bool


def stacks(header: ParHeader, table: Any) -> list[ParStack]:
    """Return the stacks of a PAR in the order of their suffixes."""
    import numpy as np

    plane, echo, kind, extra = (np.asarray(values) for values in _keys(header, table))
    planes, echoes = np.unique(plane), np.unique(echo)
    by_suffix = {}
    for key in sorted(set(zip(plane.tolist(), echo.tolist(), kind.tolist(), extra.tolist(), strict=True))):
        chosen = (plane == key[0]) & (echo == key[1]) & (kind == key[2]) & (extra == key[3])
        suffix = _ORIENTATIONS.get(key[0], f"_o{key[0]}") if planes.size > 1 else ""
        suffix += f"_e{key[1]}" if echoes.size > 1 else ""
        suffix += _TYPES.get(key[2], f"_t{key[2]}" if np.unique(kind).size > 1 else "")
        suffix += "_ADC" if key[3] else ""
        by_suffix[suffix] = ParStack(suffix, chosen, planes.size > 1)
    return [by_suffix[suffix] for suffix in sorted(by_suffix)]


def _keys(header: ParHeader, table: Any) -> tuple[Any, Any, Any, Any]:
    import numpy as np

    extra = np.zeros(len(table), dtype=int)
    if (header.whole("diffusion") or 0) and "diffusion" in table.dtype.names:
        weighted = table["diffusion_b_factor"] > 0
        directed = np.linalg.norm(table["diffusion"], axis=1) > 0
        if (weighted & directed).any():  # b-values without a direction are then averages (trace), not measurements
            extra = (weighted & ~directed).astype(int)
    return table["slice orientation"], table["echo number"], table["image_type_mr"], extra


def scaling_varies(table: Any) -> bool:
    """Return whether images of one type, sequence and echo have more than one scaling."""
    import numpy as np

    scaling = np.column_stack([table[name] for name in ("rescale intercept", "rescale slope", "scale slope")])
    groups = np.column_stack([table[name] for name in ("image_type_mr", "scanning sequence", "echo number")])
    return any(
        len(np.unique(scaling[(groups == group).all(axis=1)], axis=0)) > 1 for group in np.unique(groups, axis=0)
    )


def orientation_varies(table: Any) -> bool:
    """Return whether the slices are in more than one plane (a survey)."""
    import numpy as np

    return bool(np.unique(table["slice orientation"]).size > 1)


def stack_header(info: dict[str, Any], table: Any, stack: ParStack) -> Any:
    """Return nibabel's header of one stack.

    The general lines contain angulation and off-centre of the whole scan; if it has several orientations, each stack uses
    those of its images. Raises ValueError when slices are missing, and what nibabel raises for an invalid table.
    """
    with importing():
        from nibabel.parrec import PARRECHeader

    rows = table[stack.chosen]
    info = dict(info)
    if stack.several_orientations:
        info["angulation"] = rows["image angulation"][0]
        info["off_center"] = rows["image offcentre"].mean(axis=0)
    info["max_slices"] = len(set(rows["slice number"].tolist()))
    make: Any = PARRECHeader  # it has no type annotations
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nibabel drops incomplete volumes; the verdict reports them
        return make(info, _renumbered(rows), permit_truncated=True, strict_sort=True)


def _renumbered(rows: Any) -> Any:
    """Return the rows with slices counted from 1, as nibabel counts full volumes.

    Raises ValueError when slices are missing: the others would move into their places.
    """
    rows = rows.copy()
    numbers = rows["slice number"]
    different = set(numbers.tolist())
    if len(different) != numbers.max() - numbers.min() + 1:
        raise ValueError(f"slices are missing: {len(different)} of {numbers.min()} to {numbers.max()} exist")
    rows["slice number"] = numbers - numbers.min() + 1
    return rows
