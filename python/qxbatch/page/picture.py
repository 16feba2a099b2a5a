"""A small picture of a NIfTI image: its middle slices, axial, coronal and sagittal, as a radiologist's list shows them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from qxbatch.convert.nifti import Affine, Nifti, read_nifti
from qxbatch.core import grey_slice
from qxbatch.page.png import encode_png

HEIGHT = 128
"""Pixels of each slice's longer side."""
_GAP = 4
_THIN = 8
"""A volume so many times as wide as it is thick gives one slice alone."""


def write_picture(nifti: Path, out: Path) -> bool:
    """Write a PNG of the first volume of an uncompressed NIfTI; False when it has none that can be shown.

    Raises OSError when `out` cannot be written.
    """
    try:
        header = read_nifti(nifti)
        pieces = [_piece(nifti, header, plane) for plane in planes(header.shape, header.affine)]
    except (ValueError, ArithmeticError, OSError, MemoryError):
        return False
    out.write_bytes(encode_png(side_by_side(pieces)))
    return True


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
        """Return where the k-th voxel lies, from left, posterior or inferior."""
        return self.step * (self.count - 1 - k if self.backwards else k)

    def nearest(self, pixels: int) -> list[int]:
        """Return where the voxels of so many pixels lie."""
        return [self.voxel(i * self.count // pixels) for i in range(pixels)]


class Plane(NamedTuple):
    """A slice with square pixels (nearest neighbour), its longer side HEIGHT: each is the voxel `row + column`."""

    rows: list[int]
    columns: list[int]


def planes(shape: Sequence[int], affine: Affine) -> list[Plane]:
    """Return the middle slices, axial, coronal and sagittal; up is superior or anterior.

    A volume of one slice, or of few thick ones, gives its middle slice alone.
    """
    axes = world_axes(shape, affine)
    counts = [axis.count for axis in axes]
    thin = min(counts) == 1 or min(counts) * _THIN < max(counts)
    return [_plane(axes, world) for world in ([counts.index(min(counts))] if thin else [2, 1, 0])]


def world_axes(shape: Sequence[int], affine: Affine) -> list[Axis]:
    """Return the voxel axis that runs most along each of x, y and z; each is used once."""
    counts = [*shape, 1, 1][:3]
    steps = [1, counts[0], counts[0] * counts[1]]
    sizes = [math.hypot(*(row[axis] for row in affine)) for axis in range(3)]
    pairs = [(world, axis) for world in range(3) for axis in range(3)]
    pairs.sort(key=lambda pair: -abs(affine[pair[0]][pair[1]]) / sizes[pair[1]])
    found: dict[int, int] = {}
    for world, axis in pairs:
        if world not in found and axis not in found.values():
            found[world] = axis
    return [
        Axis(counts[axis], steps[axis], sizes[axis], backwards=affine[world][axis] < 0)
        for world, axis in sorted(found.items())
    ]


def _plane(axes: Sequence[Axis], across_it: int) -> Plane:
    """Return the middle slice that one axis of the world passes through."""
    across, up = (axis for world, axis in enumerate(axes) if world != across_it)
    middle = axes[across_it].voxel(axes[across_it].count // 2)
    high, wide = up.count * up.size, across.count * across.size
    scale = HEIGHT / max(high, wide)
    from_top = replace(up, backwards=not up.backwards)
    rows = from_top.nearest(max(1, round(high * scale)))
    columns = across.nearest(max(1, round(wide * scale)))
    return Plane([middle + row for row in rows], columns)


def _piece(path: Path, header: Nifti, plane: Plane) -> list[bytes]:
    """Return the lines of a slice in grey."""
    big_endian = header.order == ">"
    found = grey_slice(str(path), header.offset, header.datatype, plane.rows, plane.columns, big_endian=big_endian)
    wide = len(plane.columns)
    return [found[at : at + wide] for at in range(0, len(found), wide)]


def side_by_side(pieces: Sequence[Sequence[bytes]]) -> list[bytes]:
    """Return the lines of pieces in one row, each in the middle of a black field."""
    fields = []
    for piece in pieces:
        black = bytes(len(piece[0]))
        top = (HEIGHT - len(piece)) // 2
        fields.append([black] * top + list(piece) + [black] * (HEIGHT - len(piece) - top))
    return [bytes(_GAP).join(parts) for parts in zip(*fields, strict=True)]
