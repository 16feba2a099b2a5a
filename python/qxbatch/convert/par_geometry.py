"""The positions of slices by the lines of a PAR, and the lines whose slices make one regular grid.

A line has the centre of its slice (off-centre), its angles and its plane. `lines` is a structured array of lines of the PAR's image
table, from `image_defs` (par_table.py). All positions are in RAS+ mm.
"""

from typing import Any

from qxbatch.importing import importing

GRID_TOLERANCE = 0.3
"""Maximum distance of the corners of a slice from its position in a grid (mm); lines are rounded to one or two decimals."""
_PLANES = {1: "transverse", 2: "sagittal", 3: "coronal"}
"""nibabel's name for each value of the column slice orientation."""
_MAX_STACKS = 16
"""If lines have more grids than this, all of them are one stack."""
_MAX_MOVEMENT, _MAX_ROTATION = 8.0, 0.15
"""Movements of a volume (mm, rad) below these are prospective motion correction: the scanner follows the head."""
MIN_SLICES = 3
"""With fewer slices, a movement cannot be distinguished from an error."""


def has_positions(lines: Any) -> bool:
    """Return whether the lines give positions: the columns exist, and if there are several slices, their off-centres differ."""
    import numpy as np

    if not {"image offcentre", "image angulation"} <= set(lines.dtype.names):
        return False
    slices = np.unique(lines["slice number"]).size
    return slices < 2 or np.unique(lines["image offcentre"], axis=0).shape[0] > 1  # noqa: PLR2004 (one slice has one position)


def slice_affines(lines: Any, angulation: Any, centre: Any) -> Any:
    """Return the affine of each line's slice (lines x 3 x 4), from angles (degrees) and centre (mm) as ap, fh, rl.

    The third axis is the step to the next slice, except for its sign (`step_sign`). Raises ValueError for an unknown plane.
    """
    with importing():
        from nibabel.parrec import ACQ_TO_PSL, PSL_TO_RAS
    import numpy as np

    planes = np.unique(lines["slice orientation"]).tolist()
    if not set(planes) <= set(_PLANES):
        raise ValueError(f"the PAR has an unknown slice orientation: {planes}")
    ap, fh, rl = np.deg2rad(angulation).T
    axes = np.array([ACQ_TO_PSL[_PLANES[plane]][:3, :3] for plane in planes])
    axes = axes[np.searchsorted(planes, lines["slice orientation"])]
    axes = PSL_TO_RAS[:3, :3] @ _rotations(2, rl) @ _rotations(0, ap) @ _rotations(1, fh) @ axes
    depth = lines["slice thickness"] + lines["slice gap"]
    axes = axes * np.column_stack([lines["pixel spacing"], depth])[:, None, :]
    middle = (lines["recon resolution"] - 1) / 2
    first_voxel = centre @ PSL_TO_RAS[:3, :3].T - np.einsum("nij,nj->ni", axes[:, :, :2], middle)
    return np.concatenate([axes, first_voxel[:, :, None]], axis=2)


def _rotations(axis: int, angle: Any) -> Any:
    """Return the matrices (angles x 3 x 3) of rotations about an axis; the angles are in rad."""
    import numpy as np

    after, last = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.zeros((len(angle), 3, 3))
    matrix[:, axis, axis] = 1
    matrix[:, after, after] = matrix[:, last, last] = np.cos(angle)
    matrix[:, last, after], matrix[:, after, last] = np.sin(angle), -np.sin(angle)
    return matrix


def slice_corners(lines: Any, affines: Any) -> Any:
    """Return three corners of each slice (lines x corners x 3), given its affine."""
    import numpy as np

    width, height = (lines["recon resolution"] - 1).T
    x, y, first_voxel = affines[:, :, 0], affines[:, :, 1], affines[:, :, 3]
    return np.stack([first_voxel, first_voxel + x * width[:, None], first_voxel + y * height[:, None]], axis=1)


def grid_corners(lines: Any) -> Any:
    """Return three corners of slice number 0 in the grid of each line (lines x corners x 3).

    They are equal for all lines of one regular grid.
    """
    affines = slice_affines(lines, lines["image angulation"], lines["image offcentre"])
    step = affines[:, :, 2] * (lines["slice number"] * step_sign(lines, affines))[:, None]
    return slice_corners(lines, affines) - step[:, None, :]


def step_sign(lines: Any, affines: Any) -> int:
    """Return -1 if the positions of the slices decrease along the normal with their number, else 1."""
    import numpy as np

    numbers, first = np.unique(lines["slice number"], return_index=True)
    if numbers.size < 2:  # noqa: PLR2004 (two slices have a direction)
        return 1
    steps = np.diff(lines["image offcentre"][first] @ _psl_to_ras().T, axis=0)
    return -1 if np.median((steps * affines[first[:-1], :, 2]).sum(axis=1)) < 0 else 1


def _psl_to_ras() -> Any:
    """Return the matrix from the axes of Philips, in the order of nibabel, to RAS+."""
    with importing():
        from nibabel.parrec import PSL_TO_RAS
    return PSL_TO_RAS[:3, :3]


def stack_masks(lines: Any) -> list[Any]:
    """Return a mask of the lines of each stack, in the order of the lowest slice numbers.

    The lines are split only if they give positions (`has_positions`) in several grids. They are not split in these cases either:

    - there are more than _MAX_STACKS grids;
    - volumes were moved a little;
    - the lines do not make complete stacks;
    - a stack of one slice has the angles of another stack.
    """
    import numpy as np

    one_stack = [np.ones(len(lines), dtype=bool)]
    if not has_positions(lines):
        return one_stack
    grids = grid_corners(lines)
    masks = _grid_masks(grids)
    if len(masks) < 2 or len(masks) > _MAX_STACKS or not all(_is_complete(lines[mask]) for mask in masks):  # noqa: PLR2004
        return one_stack
    first = grids[masks[0]][0]
    same_slices = len({tuple(np.unique(lines["slice number"][mask])) for mask in masks}) == 1
    if same_slices and all(is_movement(grids[mask], first).all() for mask in masks):
        return one_stack
    angles = [tuple(lines["image angulation"][mask][0].tolist()) for mask in masks]
    have_one_slice = [np.unique(lines["slice number"][mask]).size == 1 for mask in masks]
    if any(
        has_one_slice and angles.count(angle) > 1 for has_one_slice, angle in zip(have_one_slice, angles, strict=True)
    ):
        return one_stack
    return sorted(masks, key=lambda mask: (int(lines["slice number"][mask].min()), int(np.argmax(mask))))


def _grid_masks(grids: Any) -> list[Any]:
    """Return a mask of the lines of each grid, for the first _MAX_STACKS + 1 grids; lines of further grids are in no mask."""
    import numpy as np

    remaining = np.ones(len(grids), dtype=bool)
    masks: list[Any] = []
    while remaining.any() and len(masks) <= _MAX_STACKS:
        mask = remaining & (corner_distances(grids, grids[np.argmax(remaining)]) <= GRID_TOLERANCE)
        masks.append(mask)
        remaining &= ~mask
    return masks


def _is_complete(lines: Any) -> bool:
    """Return whether the slice numbers have no gap, and each of them occurs equally often."""
    import numpy as np

    numbers, counts = np.unique(lines["slice number"], return_counts=True)
    return bool(numbers[-1] - numbers[0] + 1 == numbers.size and (counts == counts[0]).all())


def corner_distances(grids: Any, other: Any) -> Any:
    """Return, for each line, the largest distance (mm) between its corners and those of `other` (one grid, or one per line)."""
    import numpy as np

    return np.linalg.norm(grids - other, axis=2).max(axis=1)


def is_movement(grids: Any, other: Any) -> Any:
    """Return a mask of the lines whose grid is `other` (one grid), moved by less than _MAX_MOVEMENT and _MAX_ROTATION."""
    import numpy as np

    rotation = np.zeros(len(grids))
    for corner in (1, 2):
        side, other_side = grids[:, corner] - grids[:, 0], other[corner] - other[0]
        lengths = np.linalg.norm(side, axis=1) * np.linalg.norm(other_side)
        cosine = (side @ other_side) / np.where(lengths > 0, lengths, 1)
        rotation = np.maximum(rotation, np.where(lengths > 0, np.arccos(np.clip(cosine, -1, 1)), 0))
    return (corner_distances(grids, other) < _MAX_MOVEMENT) & (rotation < _MAX_ROTATION)
