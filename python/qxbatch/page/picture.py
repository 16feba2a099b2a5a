"""Pictures of a NIfTI image: its middle slices, axial, coronal and sagittal, with letters at their sides (docs/statistics.md)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from qxbatch.convert.nifti import Nifti, read_nifti
from qxbatch.convert.nifti_geometry import Affine
from qxbatch.core import Statistics, colour_slice, grey_slice
from qxbatch.page.canvas import side_by_side
from qxbatch.page.heat import palette
from qxbatch.page.png import encode_png
from qxbatch.page.side_letters import SIDES

HEIGHT = 192
"""Pixels of each slice's longer side."""
_THIN_RATIO = 8
"""If the longest axis has more than this many times the voxels of the shortest one, only one slice is shown."""
_COLOUR_TYPES = (128, 2304)
"""Types of voxels that are red, green and blue (nifti1.h)."""
_GREY_DEPTH, _COLOUR_DEPTH = 1, 3
"""Bytes of a pixel of a grey and of a coloured picture."""


def write_picture(
    nifti: Path,
    out: Path,
    statistics: Statistics | None = None,
    tsnr_out: Path | None = None,
    header: Nifti | None = None,
) -> bool:
    """Write a PNG of an uncompressed NIfTI; return False if it cannot be shown.

    The PNG shows the mean of the volumes if there are statistics, else the first volume. Colour images keep their colours. If
    the statistics have a temporal SNR, a map of it is written to `tsnr_out`: black is 0, the brightest colour is `tsnr_limit` of
    the statistics. `header` is the header of the image, if it was read before. Raises OSError when a file cannot be written.
    """
    try:
        header = header or read_nifti(nifti)
        visible = planes(header.shape, header.affine)
        slices = [_pixels(nifti, header, plane, statistics) for plane in visible]
        maps = []
        if tsnr_out is not None and statistics is not None and statistics.tsnr is not None:
            maps = [statistics.tsnr_slice(plane.rows, plane.columns) for plane in visible]
    except (ValueError, ArithmeticError, OSError, MemoryError):
        return False
    out.write_bytes(_png(visible, slices, _depth(header)))
    if maps and tsnr_out is not None:
        tsnr_out.write_bytes(_png(visible, maps, _GREY_DEPTH, palette()))
    return True


def _png(visible: Sequence["Plane"], slices: Sequence[bytes], depth: int, colours: bytes = b"") -> bytes:
    """Return a PNG of slices side by side; a pixel has `depth` bytes. `colours`: the palette, if pixels are indexes of it."""
    drawn_slices = [
        (pixels, len(plane.columns), SIDES[plane.normal_axis]) for pixels, plane in zip(slices, visible, strict=True)
    ]
    canvas = side_by_side(drawn_slices, HEIGHT, depth)
    return encode_png(canvas.scan_lines, canvas.width, HEIGHT, colour=depth == _COLOUR_DEPTH, palette=colours)


def _depth(header: Nifti) -> int:
    return _COLOUR_DEPTH if header.datatype in _COLOUR_TYPES else _GREY_DEPTH


def _pixels(nifti: Path, header: Nifti, plane: "Plane", statistics: Statistics | None) -> bytes:
    """Return the pixels of a slice: of the mean of the volumes if there are statistics, else of the first volume."""
    rows, columns = plane.rows, plane.columns
    if statistics is not None:
        return statistics.mean_slice(rows, columns)
    arguments = (str(nifti), header.offset, header.datatype, rows, columns)
    colours = colour_slice(*arguments) if header.datatype in _COLOUR_TYPES else None
    return colours or grey_slice(*arguments, big_endian=header.byte_order == ">")


@dataclass(frozen=True)
class Axis:
    """The voxel axis that runs along x, y or z of the world."""

    count: int
    """Number of voxels."""
    step: int
    """Distance of neighbours in the file, in voxels."""
    size: float
    """Size of a voxel, in mm."""
    is_backwards: bool
    """Whether voxel indices grow towards left, posterior or inferior."""

    def voxel_offset(self, k: int) -> int:
        """Return the offset in the file, in voxels, of the k-th voxel from the left, posterior or inferior end."""
        return self.step * (self.count - 1 - k if self.is_backwards else k)

    def nearest_offsets(self, pixels: int) -> list[int]:
        """Return the offset of the nearest voxel for each of `pixels` pixels along the axis."""
        return [self.voxel_offset(i * self.count // pixels) for i in range(pixels)]


class Plane(NamedTuple):
    """A slice as square pixels, the longer side HEIGHT pixels long. A pixel shows the nearest voxel.

    The offset of this voxel in the file, in voxels, is the sum of the values of the pixel's row and column.
    """

    rows: list[int]
    columns: list[int]
    normal_axis: int
    """The axis of the world that is perpendicular to the slice: 0 for x, 1 for y, 2 for z."""


def planes(shape: Sequence[int], affine: Affine) -> list[Plane]:
    """Return the middle slices, axial, coronal and sagittal; up is superior or anterior.

    A volume of one slice or few slices (`_THIN_RATIO`) has only its middle slice. Raises ValueError for a voxel or a line of
    voxels.
    """
    axes = world_axes(shape, affine)
    counts = [axis.count for axis in axes]
    if counts.count(1) > 1:
        raise ValueError("no slices: it is one voxel or a line of them")
    thin = min(counts) == 1 or min(counts) * _THIN_RATIO < max(counts)
    return [_plane(axes, world) for world in ([counts.index(min(counts))] if thin else [2, 1, 0])]


def world_axes(shape: Sequence[int], affine: Affine) -> list[Axis]:
    """Return the voxel axes that run along x, y and z; of an oblique image, the most parallel ones. Each is used once."""
    counts = [*shape, 1, 1][:3]
    steps = [1, counts[0], counts[0] * counts[1]]
    sizes = [math.hypot(*(row[axis] for row in affine)) for axis in range(3)]
    pairs = [(world, axis) for world in range(3) for axis in range(3)]
    pairs.sort(key=lambda pair: -abs(affine[pair[0]][pair[1]]) / sizes[pair[1]])
    voxel_axes: dict[int, int] = {}
    for world, axis in pairs:
        if world not in voxel_axes and axis not in voxel_axes.values():
            voxel_axes[world] = axis
    return [
        Axis(counts[axis], steps[axis], sizes[axis], is_backwards=affine[world][axis] < 0)
        for world, axis in sorted(voxel_axes.items())
    ]


def _plane(axes: Sequence[Axis], normal: int) -> Plane:
    """Return the middle slice perpendicular to one axis of the world."""
    across, up = (axis for world, axis in enumerate(axes) if world != normal)
    middle = axes[normal].voxel_offset(axes[normal].count // 2)
    height_mm, width_mm = up.count * up.size, across.count * across.size
    scale = HEIGHT / max(height_mm, width_mm)
    from_top = replace(up, is_backwards=not up.is_backwards)
    rows = from_top.nearest_offsets(max(1, round(height_mm * scale)))
    columns = across.nearest_offsets(max(1, round(width_mm * scale)))
    return Plane([middle + row for row in rows], columns, normal)
