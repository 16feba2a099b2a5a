"""The NIfTI image of one stack of a PAR: its shape, affine and lines; and the lines whose slices are outside of its grid."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from qxbatch.convert import par_geometry as geometry
from qxbatch.convert.par_order import complete_volumes
from qxbatch.convert.par_stacks import ParStack
from qxbatch.convert.par_table import GeneralLines


class ParImage(NamedTuple):
    """Geometry and order of the image of one stack."""

    suffix: str
    shape: tuple[int, ...]
    """Columns, rows, slices, and volumes if there are several."""
    zooms: tuple[float, ...]
    """Voxel sizes in mm; if there are several volumes, 1 follows in place of the time between them."""
    affine: Any
    """From voxel to RAS+ mm (4 x 4)."""
    line_indices: Any
    """Indices of the table's lines, from 0, volume by volume, slice by slice."""
    incomplete_volumes_text: str = ""
    """Text that lists the incomplete volumes, which are not in the image; empty if there are none."""


class LinesOutsideGrid(NamedTuple):
    """Lines of one stack whose slices are not in the grid of their image."""

    line_numbers: tuple[int, ...]
    """From 1, the first image line of the PAR."""
    worst_line_number: int
    """The number of the line with the largest distance."""
    distance: float
    """The distance of the slice of that line, mm."""
    moved_volume_count: int
    """The number of volumes with these lines, if each of these volumes moved as a whole, and only a little; else 0."""


def par_image(general: GeneralLines, table: Any, stack: ParStack) -> ParImage:
    """Return the image of one stack: its complete volumes.

    Raises ValueError when all volumes lack a slice between the first and the last existing one (`complete_volumes`), or the
    lines do not make one image.
    """
    import numpy as np

    lines = table[stack.line_mask]
    columns, height = map(int, _uniform_value(lines, "recon resolution"))
    _uniform_value(lines, "image pixel size")  # raises if it varies
    zooms = (
        *map(float, _uniform_value(lines, "pixel spacing")),
        float(_uniform_value(lines, "slice thickness") + _uniform_value(lines, "slice gap")),
    )
    complete = complete_volumes(lines, diffusion=general.is_diffusion)
    line_indices = np.flatnonzero(stack.line_mask)[complete.line_indices]
    volumes = len(line_indices) // complete.slices
    shape: tuple[int, ...] = (columns, height, complete.slices)
    if volumes > 1:
        shape, zooms = (*shape, volumes), (*zooms, 1.0)
    affine = _affine(general, table[line_indices], complete.slices)
    return ParImage(stack.suffix, shape, zooms, affine, line_indices, complete.incomplete_volumes_text)


def _uniform_value(lines: Any, name: str) -> Any:
    """Return the value of a column. Raises ValueError when it varies."""
    values = lines[name]
    if (values != values[0]).any():
        raise ValueError(f"the column '{name}' varies within one image")
    return values[0]


def _affine(general: GeneralLines, lines: Any, slices: int) -> Any:
    """Return the affine (4 x 4) of a stack: by the general lines, which have more decimals, or by the image lines.

    The image lines are used if more slices fit their grid than that of the general lines, and more than half of all.
    """
    import numpy as np

    (first,) = geometry.slice_affines(lines[:1], general.angulation[None, :], general.off_centre[None, :])
    first[:, 3] -= first[:, 2] * (slices - 1) / 2  # from the centre of the scan to its first slice
    by_general_lines = np.vstack([first, [0, 0, 0, 1]])
    if not geometry.has_positions(lines):
        return by_general_lines
    affines = geometry.slice_affines(lines, lines["image angulation"], lines["image offcentre"])
    by_image_lines = np.vstack([affines[0], [0, 0, 0, 1]])
    by_image_lines[:3, 2] *= geometry.step_sign(lines, affines)
    slice_indices = np.arange(len(lines)) % slices
    by_image_lines[:3, 3] = np.median(affines[:, :, 3] - by_image_lines[:3, 2] * slice_indices[:, None], axis=0)
    general_lines_fits, image_lines_fits = (
        int((distances(lines, grid, slices) <= geometry.GRID_TOLERANCE).sum())
        for grid in (by_general_lines, by_image_lines)
    )
    return (
        by_image_lines
        if image_lines_fits > general_lines_fits and image_lines_fits > len(lines) // 2
        else by_general_lines
    )


def distances(lines: Any, affine: Any, slices: int) -> Any:
    """Return the distance (mm) of each line's slice from its position in a grid: the largest distance of its corners.

    The position is that of the slice in the image, whatever number the line has.
    """
    import numpy as np

    affines = geometry.slice_affines(lines, lines["image angulation"], lines["image offcentre"])
    slice_indices = np.arange(len(lines)) % slices
    planned = np.repeat(affine[None, :3], len(lines), axis=0)
    planned[:, :, 3] += affine[:3, 2] * slice_indices[:, None]
    return geometry.corner_distances(geometry.slice_corners(lines, affines), geometry.slice_corners(lines, planned))


def lines_outside_grid(table: Any, image: ParImage) -> LinesOutsideGrid | None:
    """Return the lines of an image whose slices are outside of its grid; None if there are none."""
    import numpy as np

    lines = table[image.line_indices]
    if not geometry.has_positions(lines):
        return None
    distance = distances(lines, image.affine, image.shape[2])
    outside = distance > geometry.GRID_TOLERANCE
    if not outside.any():
        return None
    worst = int(np.argmax(distance))
    line_numbers = tuple((image.line_indices[outside] + 1).tolist())
    return LinesOutsideGrid(
        line_numbers,
        int(image.line_indices[worst]) + 1,
        float(distance[worst]),
        _moved_volume_count(lines, image.shape[2], outside),
    )


def _moved_volume_count(lines: Any, slices: int, outside: Any) -> int:
    """Return the number of volumes with lines outside of the grid, if each of them moved as a whole, and only a little; else 0."""
    import numpy as np

    volumes = outside.reshape(-1, slices)
    unmoved = ~volumes.any(axis=1)
    if slices < geometry.MIN_SLICES or not unmoved.any():
        return 0
    start = geometry.grid_corners(lines).reshape(-1, slices, 3, 3)
    first = start[unmoved][0, 0]
    moved = start[~unmoved]
    together = (np.linalg.norm(moved - moved[:, :1], axis=3) <= geometry.GRID_TOLERANCE).all()
    return len(moved) if together and geometry.is_movement(moved.reshape(-1, 3, 3), first).all() else 0


def scalings(lines: Any) -> Sequence[tuple[Any, Any]]:
    """Return slopes and intercepts of the lines: first for floating-point values if they are defined, then for console values."""
    import numpy as np

    rescale, intercept, scale = lines["rescale slope"], lines["rescale intercept"], lines["scale slope"]
    console = np.where(rescale != 0, rescale, 1.0), intercept
    if (scale != 0).all() and (rescale != 0).all():
        return [(1 / scale, intercept / (rescale * scale)), console]
    return [console]
