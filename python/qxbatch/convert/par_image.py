"""The image that a stack of a PAR becomes: its shape, place, and the lines of its slices; slices outside of its grid."""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

from qxbatch.convert import par_geometry as geometry
from qxbatch.convert.par_stacks import ParStack
from qxbatch.importing import importing


class ParImage(NamedTuple):
    """Geometry and order of the image of one stack."""

    suffix: str
    shape: tuple[int, ...]
    zooms: tuple[float, ...]
    affine: Any
    lines: Any
    """Indices of the table's lines, volume by volume, slice by slice."""


class Misplaced(NamedTuple):
    """Lines of one stack whose slices are not in the grid of their image."""

    lines: tuple[int, ...]
    line: int
    """The line with the largest distance."""
    distance: float
    """Its distance, mm."""
    volumes: int
    """The number of volumes, if all of these lines are of volumes that moved as a whole a little; else 0."""


def par_image(info: dict[str, Any], table: Any, stack: ParStack) -> ParImage:
    """Return the image of one stack.

    Raises ValueError when slices are missing, and what nibabel raises for an invalid table.
    """
    with importing():
        from nibabel.parrec import PARRECHeader
    import numpy as np

    rows = table[stack.chosen]
    info = dict(info, max_slices=len(set(rows["slice number"].tolist())))
    make: Any = PARRECHeader  # it has no type annotations
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nibabel drops incomplete volumes; the verdict reports them
        header = make(info, _renumbered(rows), permit_truncated=True, strict_sort=True)
    lines = np.flatnonzero(stack.chosen)[header.get_sorted_slice_indices()]
    shape, zooms = tuple(map(int, header.get_data_shape())), tuple(map(float, header.get_zooms()))
    return ParImage(stack.suffix, shape, zooms, _affine(info, table[lines], shape[2]), lines)


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


def _affine(info: dict[str, Any], rows: Any, slices: int) -> Any:
    """Return the affine of a stack by the general lines, which have more decimals; by its own lines if most of these differ.

    The general lines contain angulation and off-centre of the whole scan.
    """
    import numpy as np

    (first,) = geometry.affines(rows[:1], info["angulation"][None, :], info["off_center"][None, :])
    first[:, 3] -= first[:, 2] * (slices - 1) / 2
    whole = np.vstack([first, [0, 0, 0, 1]])
    if not geometry.has_places(rows):
        return whole
    places = geometry.affines(rows, rows["image angulation"], rows["image offcentre"])
    own = np.vstack([places[0], [0, 0, 0, 1]])
    own[:3, 2] *= geometry.direction(rows, places)
    numbers = rows["slice number"] - rows["slice number"].min()
    own[:3, 3] = np.median(places[:, :, 3] - own[:3, 2] * numbers[:, None], axis=0)
    fits, own_fits = (int((distances(rows, grid) <= geometry.NEAR).sum()) for grid in (whole, own))
    return own if own_fits > fits and own_fits > len(rows) // 2 else whole


def distances(rows: Any, affine: Any) -> Any:
    """Return the distance of each line's slice from its place in a grid: the largest of its corners."""
    import numpy as np

    places = geometry.affines(rows, rows["image angulation"], rows["image offcentre"])
    numbers = rows["slice number"] - rows["slice number"].min()
    planned = np.repeat(affine[None, :3], len(rows), axis=0)
    planned[:, :, 3] += affine[:3, 2] * numbers[:, None]
    return geometry.apart(geometry.corners(rows, places), geometry.corners(rows, planned))


def misplaced(table: Any, image: ParImage) -> Misplaced | None:
    """Return the lines of an image that place their slices outside of its grid; None if there are none."""
    import numpy as np

    rows = table[image.lines]
    if not geometry.has_places(rows):
        return None
    distance = distances(rows, image.affine)
    outside = distance > geometry.NEAR
    if not outside.any():
        return None
    worst = int(np.argmax(distance))
    lines = tuple((image.lines[outside] + 1).tolist())
    return Misplaced(lines, int(image.lines[worst]) + 1, float(distance[worst]), _moved(rows, image.shape[2], outside))


def _moved(rows: Any, slices: int, outside: Any) -> int:
    """Return the number of volumes with lines outside of the grid, if each of them moved as a whole a little; else 0."""
    import numpy as np

    volumes = outside.reshape(-1, slices)
    kept = ~volumes.any(axis=1)
    if slices < geometry.MIN_SLICES or not kept.any():
        return 0
    start = geometry.starts(rows).reshape(-1, slices, 3, 3)
    first = start[kept][0, 0]
    for volume in start[~kept]:
        if (geometry.apart(volume, volume[0]) > geometry.NEAR).any() or not geometry.is_movement(volume, first).all():
            return 0
    return int(np.count_nonzero(~kept))


def scaling(rows: Any) -> Sequence[tuple[Any, Any]]:
    """Return slopes and intercepts of the lines: first for floating-point values if they are defined, then for console values."""
    import numpy as np

    rescale, intercept, scale = rows["rescale slope"], rows["rescale intercept"], rows["scale slope"]
    console = np.where(rescale != 0, rescale, 1.0), intercept
    if (scale != 0).all() and (rescale != 0).all():
        return [(1 / scale, intercept / (rescale * scale)), console]
    return [console]
