"""Pictures of a NIfTI image: its middle slices, axial, coronal and sagittal, with letters at their sides (docs/statistics.md)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from qxbatch.convert.nifti import Affine, Nifti, read_nifti
from qxbatch.core import Statistics, colour_slice, grey_slice
from qxbatch.page.canvas import side_by_side
from qxbatch.page.heat import palette
from qxbatch.page.marks import SIDES
from qxbatch.page.png import encode_png

HEIGHT = 192
"""Pixels of each slice's longer side."""
_THIN = 8
"""If the shortest axis has fewer voxels than the longest by more than this factor, one slice is shown."""
_COLOURS = (128, 2304)
"""Types of voxels that are red, green and blue (nifti1.h)."""
_GREY, _COLOUR = 1, 3
"""Bytes of a pixel."""


def write_picture(
    nifti: Path,
    out: Path,
    statistics: Statistics | None = None,
    tsnr: Path | None = None,
    header: Nifti | None = None,
) -> bool:
    """Write a PNG of an uncompressed NIfTI; return False if it cannot be shown.

    The PNG shows the mean of the volumes if there are statistics, else the first volume. Colour images keep their colours.
    With `tsnr`, statistics that have a temporal SNR are also drawn there: black is 0, the brightest colour `tsnr_limit`.
    `header` is the image's, if it was read before. Raises OSError when a file cannot be written.
    """
    try:
        header = header or read_nifti(nifti)
        visible = planes(header.shape, header.affine)
        slices = [_pixels(nifti, header, plane, statistics) for plane in visible]
        maps = []
        if tsnr is not None and statistics is not None and statistics.tsnr is not None:
            maps = [statistics.tsnr_slice(plane.rows, plane.columns) for plane in visible]
    except (ValueError, ArithmeticError, OSError, MemoryError):
        return False
    out.write_bytes(_png(visible, slices, _depth(header)))
    if maps and tsnr is not None:
        tsnr.write_bytes(_png(visible, maps, _GREY, palette()))
    return True


def _png(visible: Sequence["Plane"], slices: Sequence[bytes], depth: int, colours: bytes = b"") -> bytes:
    drawn_slices = [
        (pixels, len(plane.columns), SIDES[plane.normal]) for pixels, plane in zip(slices, visible, strict=True)
    ]
    canvas = side_by_side(drawn_slices, HEIGHT, depth)
    return encode_png(canvas.pixels, canvas.width, HEIGHT, colour=depth == _COLOUR, palette=colours)


def _depth(header: Nifti) -> int:
    return _COLOUR if header.datatype in _COLOURS else _GREY


def _pixels(nifti: Path, header: Nifti, plane: "Plane", statistics: Statistics | None) -> bytes:
    rows, columns = plane.rows, plane.columns
    if statistics is not None:
        return statistics.mean_slice(rows, columns)
    place = (str(nifti), header.offset, header.datatype, rows, columns)
    colours = colour_slice(*place) if header.datatype in _COLOURS else None
    return colours or grey_slice(*place, big_endian=header.order == ">")


@dataclass(frozen=True)
class Axis:
    """A voxel axis, as it runs along x, y or z of the world."""

    count: int
    step: int
    """From one voxel to the next, in voxels of the file."""
    size: float
    """Of a voxel, in mm."""
    backwards: bool

    def voxel(self, k: int) -> int:
        """Return the offset of the k-th voxel, from left, posterior or inferior."""
        return self.step * (self.count - 1 - k if self.backwards else k)

    def nearest(self, pixels: int) -> list[int]:
        """Return the offsets of the voxels nearest to this number of pixels."""
        return [self.voxel(i * self.count // pixels) for i in range(pixels)]


class Plane(NamedTuple):
    """A slice with square pixels (nearest neighbour), its longer side HEIGHT: each is the voxel `row + column`."""

    rows: list[int]
    columns: list[int]
    normal: int
    """The axis of the world that is perpendicular to it."""


def planes(shape: Sequence[int], affine: Affine) -> list[Plane]:
    """Return the middle slices, axial, coronal and sagittal; up is superior or anterior.

    A volume of one slice, or of few ones (_THIN), has only its middle slice. Raises ValueError for a voxel or a line of voxels.
    """
    axes = world_axes(shape, affine)
    counts = [axis.count for axis in axes]
    if counts.count(1) > 1:
        raise ValueError("no slices: it is one voxel or a line of them")
    thin = min(counts) == 1 or min(counts) * _THIN < max(counts)
    return [_plane(axes, world) for world in ([counts.index(min(counts))] if thin else [2, 1, 0])]


def world_axes(shape: Sequence[int], affine: Affine) -> list[Axis]:
    """Return the voxel axis that runs most along each of x, y and z; each is used once."""
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
        Axis(counts[axis], steps[axis], sizes[axis], backwards=affine[world][axis] < 0)
        for world, axis in sorted(voxel_axes.items())
    ]


def _plane(axes: Sequence[Axis], normal: int) -> Plane:
    """Return the middle slice perpendicular to one axis of the world."""
    across, up = (axis for world, axis in enumerate(axes) if world != normal)
    middle = axes[normal].voxel(axes[normal].count // 2)
    high, wide = up.count * up.size, across.count * across.size
    scale = HEIGHT / max(high, wide)
    from_top = replace(up, backwards=not up.backwards)
    rows = from_top.nearest(max(1, round(high * scale)))
    columns = across.nearest(max(1, round(wide * scale)))
    return Plane([middle + row for row in rows], columns, normal)
