"""Where the lines of a PAR place its slices, and which of them make one regular grid.

A line has the centre of its slice (off-centre), its angles and its plane. All places are in RAS+ mm.
"""

from typing import Any

from qxbatch.importing import importing

NEAR = 0.3
"""Maximum distance of the corners of a slice from its place in a grid (mm); lines are rounded to one or two decimals."""
_PLANES = {1: "transverse", 2: "sagittal", 3: "coronal"}
_MAX_STACKS = 16
"""Lines with more grids than this are one stack."""
_MAX_MOVEMENT, _MAX_ROTATION = 8.0, 0.15
"""Movements of a volume (mm, rad) below these are prospective motion correction: the scanner follows the head."""
MIN_SLICES = 3
"""With fewer slices, a movement cannot be distinguished from an error."""


def has_places(rows: Any) -> bool:
    """Return whether the lines place the slices: the columns exist, and if there are several slices, their off-centres differ."""
    import numpy as np

    if not {"image offcentre", "image angulation"} <= set(rows.dtype.names):
        return False
    slices = np.unique(rows["slice number"]).size
    return slices < 2 or np.unique(rows["image offcentre"], axis=0).shape[0] > 1  # noqa: PLR2004 (one slice has one place)


def affines(rows: Any, angulation: Any, centre: Any) -> Any:
    """Return the affine of each line's slice (lines x 3 x 4), from angles (degrees) and centre (mm) as ap, fh, rl.

    The third axis is the step to the next slice. Raises ValueError for an unknown plane.
    """
    with importing():
        from nibabel.parrec import ACQ_TO_PSL, PSL_TO_RAS
    import numpy as np

    planes = np.unique(rows["slice orientation"]).tolist()
    if not set(planes) <= set(_PLANES):
        raise ValueError(f"the PAR has an unknown slice orientation: {planes}")
    ap, fh, rl = np.deg2rad(angulation).T
    axes = np.array([ACQ_TO_PSL[_PLANES[plane]][:3, :3] for plane in planes])
    axes = axes[np.searchsorted(planes, rows["slice orientation"])]
    axes = PSL_TO_RAS[:3, :3] @ _turn(2, rl) @ _turn(0, ap) @ _turn(1, fh) @ axes
    depth = rows["slice thickness"] + rows["slice gap"]
    axes = axes * np.column_stack([rows["pixel spacing"], depth])[:, None, :]
    middle = (rows["recon resolution"] - 1) / 2
    start = centre @ PSL_TO_RAS[:3, :3].T - np.einsum("nij,nj->ni", axes[:, :, :2], middle)
    return np.concatenate([axes, start[:, :, None]], axis=2)


def _turn(axis: int, angle: Any) -> Any:
    """Return the matrices (angles x 3 x 3) of rotations about an axis; the angles are in rad."""
    import numpy as np

    after, last = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.zeros((len(angle), 3, 3))
    matrix[:, axis, axis] = 1
    matrix[:, after, after] = matrix[:, last, last] = np.cos(angle)
    matrix[:, last, after], matrix[:, after, last] = np.sin(angle), -np.sin(angle)
    return matrix


def corners(rows: Any, places: Any) -> Any:
    """Return three corners of each slice (lines x corners x 3), given its affine."""
    import numpy as np

    columns, lines = (rows["recon resolution"] - 1).T
    x, y, start = places[:, :, 0], places[:, :, 1], places[:, :, 3]
    return np.stack([start, start + x * columns[:, None], start + y * lines[:, None]], axis=1)


def starts(rows: Any) -> Any:
    """Return where slice number 0 would be in the grid of each line: three corners, equal for all lines of one regular grid."""
    places = affines(rows, rows["image angulation"], rows["image offcentre"])
    step = places[:, :, 2] * (rows["slice number"] * direction(rows, places))[:, None]
    return corners(rows, places) - step[:, None, :]


def direction(rows: Any, places: Any) -> int:
    """Return -1 if the places of the slices decrease along the normal with their number, else 1."""
    import numpy as np

    numbers, first = np.unique(rows["slice number"], return_index=True)
    if numbers.size < 2:  # noqa: PLR2004 (two slices have a direction)
        return 1
    steps = np.diff(rows["image offcentre"][first] @ _ras().T, axis=0)
    return -1 if np.median((steps * places[first[:-1], :, 2]).sum(axis=1)) < 0 else 1


def _ras() -> Any:
    with importing():
        from nibabel.parrec import PSL_TO_RAS
    return PSL_TO_RAS[:3, :3]


def separate(rows: Any) -> list[Any]:
    """Return masks of the lines of separate stacks, in the order of their slices.

    One mask contains all lines if they have one grid, if volumes were moved a little, or if the lines do not make complete
    stacks.
    """
    import numpy as np

    together = [np.ones(len(rows), dtype=bool)]
    if not has_places(rows):
        return together
    start = starts(rows)
    groups = _groups(start)
    if len(groups) < 2 or len(groups) > _MAX_STACKS or not all(_is_complete(rows[group]) for group in groups):  # noqa: PLR2004
        return together
    first = start[groups[0]][0]
    same_slices = len({tuple(np.unique(rows["slice number"][group])) for group in groups}) == 1
    if same_slices and all(is_movement(start[group], first).all() for group in groups):
        return together
    angles = [tuple(rows["image angulation"][group][0].tolist()) for group in groups]
    single = [np.unique(rows["slice number"][group]).size == 1 for group in groups]
    if any(alone and angles.count(angle) > 1 for alone, angle in zip(single, angles, strict=True)):
        return together
    return sorted(groups, key=lambda group: (int(rows["slice number"][group].min()), int(np.argmax(group))))


def _groups(start: Any) -> list[Any]:
    """Return a mask of the lines of each grid; at most _MAX_STACKS + 1 masks, then the other lines are in none."""
    import numpy as np

    remaining = np.ones(len(start), dtype=bool)
    groups: list[Any] = []
    while remaining.any() and len(groups) <= _MAX_STACKS:
        group = remaining & (corner_distances(start, start[np.argmax(remaining)]) <= NEAR)
        groups.append(group)
        remaining &= ~group
    return groups


def _is_complete(rows: Any) -> bool:
    """Return whether the slices follow each other, and all volumes have all of them."""
    import numpy as np

    numbers, counts = np.unique(rows["slice number"], return_counts=True)
    return bool(numbers[-1] - numbers[0] + 1 == numbers.size and (counts == counts[0]).all())


def corner_distances(start: Any, other: Any) -> Any:
    """Return the largest distance (mm) of corresponding corners of each line."""
    import numpy as np

    return np.linalg.norm(start - other, axis=2).max(axis=1)


def is_movement(start: Any, other: Any) -> Any:
    """Return whether each line's grid is the other grid, moved by less than _MAX_MOVEMENT and _MAX_ROTATION."""
    import numpy as np

    turned = np.zeros(len(start))
    for corner in (1, 2):
        side, other_side = start[:, corner] - start[:, 0], other[corner] - other[0]
        lengths = np.linalg.norm(side, axis=1) * np.linalg.norm(other_side)
        cosine = (side @ other_side) / np.where(lengths > 0, lengths, 1)
        turned = np.maximum(turned, np.where(lengths > 0, np.arccos(np.clip(cosine, -1, 1)), 0))
    return (corner_distances(start, other) < _MAX_MOVEMENT) & (turned < _MAX_ROTATION)
