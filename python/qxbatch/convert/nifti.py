"""Reads the header of a NIfTI file (NIfTI-1 or -2, header and voxels in one file), without its voxels.

It does not use nibabel, whose import takes longer than converting a small series.
"""

import gzip
import math
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from qxbatch.convert.nifti_geometry import (
    Affine,
    Geometry,
    affine_from_quaternion,
    affine_from_zooms,
    find_contradiction,
)
from qxbatch.os_error import error_text

_NIFTI1, _NIFTI2 = 348, 540
"""Sizes of the headers in bytes."""
_SINGULAR = 1e-12
"""An affine with a smaller determinant is not usable."""
_TIME_UNITS = 0x38
"""The bits of xyzt_units that contain the unit of time."""
_MILLIMETRES, _SECONDS = 2, 8
"""Units in xyzt_units (nifti1.h, NIFTI_UNITS_...)."""
_SECONDS_PER_UNIT = {_SECONDS: 1.0, 16: 1e-3, 24: 1e-6}
"""By the unit of time: seconds, milliseconds, microseconds (nifti1.h, NIFTI_UNITS_...)."""


class Nifti(NamedTuple):
    """Header of one image."""

    shape: tuple[int, ...]
    """Voxels along each axis: x, y, z, t ..."""
    affine: Affine
    byte_order: str = "<"
    """Byte order, in the notation of struct and numpy."""
    datatype: int = 0
    """The code of a voxel's type (nifti1.h, NIFTI_TYPE_...)."""
    offset: int = 0
    """The offset of the first voxel in bytes."""
    contradiction: str = ""
    """How its voxel sizes or its qform contradict its sform; empty if they agree or are not compared."""
    time_step: float = 0.0
    """Time between volumes in s; 0 if the header has none."""
    is_nifti2: bool = False
    """Whether the header is that of NIfTI-2."""

    @property
    def volumes(self) -> int:
        """Return the length of the fourth axis, 1 without one."""
        return self.shape[3] if len(self.shape) > 3 else 1  # noqa: PLR2004 (x, y, z, t)

    @property
    def voxels(self) -> int:
        """Return the number of voxels of all volumes."""
        return math.prod(self.shape)


def read_nifti(path: Path) -> Nifti:
    """Read the header of a .nii or .nii.gz.

    Raises ValueError with the reason when the file cannot be read, is not NIfTI, or has an invalid size, number of bits of a voxel,
    position or scaling, and when a .nii is cut short; the length of a .nii.gz is not checked.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            head = file.read(_NIFTI2)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"it cannot be read as NIfTI ({error_text(error)})") from error
    byte_order = _byte_order(head)
    is_nifti2 = struct.unpack_from(f"{byte_order}i", head)[0] == _NIFTI2
    dim = (
        struct.unpack_from(f"{byte_order}8q", head, 16)
        if is_nifti2
        else struct.unpack_from(f"{byte_order}8h", head, 40)
    )
    shape = dim[1 : 1 + dim[0]]
    if not 1 <= dim[0] <= 7 or min(shape) < 1:  # noqa: PLR2004 (NIfTI has up to seven axes)
        raise ValueError(f"its size is {dim}")
    bits, offset = _layout(head, byte_order, is_nifti2=is_nifti2)
    expected_size = offset + math.prod(shape) * bits // 8
    if path.suffix == ".nii" and path.stat().st_size < expected_size:
        raise ValueError(f"it is cut short: {path.stat().st_size} of {expected_size} bytes")
    affine = _affine(head, byte_order, is_nifti2=is_nifti2)
    values = [value for row in affine for value in row]
    if not all(map(math.isfinite, values)) or abs(determinant(affine)) < _SINGULAR:
        raise ValueError("its affine is not usable")
    slope = (
        struct.unpack_from(f"{byte_order}d", head, 176)[0]
        if is_nifti2
        else struct.unpack_from(f"{byte_order}f", head, 112)[0]
    )
    if not math.isfinite(slope):
        raise ValueError(f"its values are scaled by {slope}")
    datatype = struct.unpack_from(f"{byte_order}h", head, 12 if is_nifti2 else 70)[0]
    return Nifti(
        shape,
        affine,
        byte_order,
        datatype,
        offset,
        find_contradiction(_geometry(head, byte_order, is_nifti2=is_nifti2), shape),
        _time_step(head, byte_order, is_nifti2=is_nifti2),
        is_nifti2,
    )


def determinant(affine: Affine) -> float:
    """Return the determinant of the 3 x 3 matrix of the axes, without the offset."""
    a, b, c = (row[:3] for row in affine)
    return _det(a, b, c)


def _det(a: Sequence[float], b: Sequence[float], c: Sequence[float]) -> float:
    return a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0])


def _byte_order(head: bytes) -> str:
    """Return the byte order; the header starts with its own size. Raises ValueError if it is not NIfTI in one file."""
    for byte_order in "<>":
        if len(head) >= 4:  # noqa: PLR2004 (bytes of the size)
            size = struct.unpack_from(f"{byte_order}i", head)[0]
            if size == _NIFTI1 and len(head) >= _NIFTI1 and head[344:348] == b"n+1\0":
                return byte_order
            if size == _NIFTI2 and len(head) >= _NIFTI2 and head[4:8] == b"n+2\0":
                return byte_order
    raise ValueError("it cannot be read as NIfTI (its header has another format)")


def _layout(head: bytes, byte_order: str, *, is_nifti2: bool) -> tuple[int, int]:
    """Return bits per voxel and the offset of the first voxel. Raises ValueError for impossible ones."""
    bits = struct.unpack_from(f"{byte_order}h", head, 14 if is_nifti2 else 72)[0]
    offset = (
        struct.unpack_from(f"{byte_order}q", head, 168)[0]
        if is_nifti2
        else struct.unpack_from(f"{byte_order}f", head, 108)[0]
    )
    if bits < 1 or not math.isfinite(offset) or offset < 0:
        raise ValueError(f"its voxels have {bits} bits from byte {offset}")
    return bits, int(offset)


def _time_step(head: bytes, byte_order: str, *, is_nifti2: bool) -> float:
    """Return the size of a voxel along the fourth axis in s; 0 if the header has no usable one. An unknown unit counts as s."""
    size = (
        struct.unpack_from(f"{byte_order}d", head, 136) if is_nifti2 else struct.unpack_from(f"{byte_order}f", head, 92)
    )
    units = struct.unpack_from(f"{byte_order}i", head, 500)[0] if is_nifti2 else head[123]
    seconds: float = size[0] * _SECONDS_PER_UNIT.get(units & _TIME_UNITS, 1.0)
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0


def time_fields(image: Nifti, seconds: float) -> list[tuple[int, str, float]]:
    """Return the header fields for a time between volumes: offset, format character of struct, and value of each.

    The second field has the units of space and time: always millimetres and seconds.
    """
    units = _MILLIMETRES | _SECONDS
    return [(136, "d", seconds), (500, "i", units)] if image.is_nifti2 else [(92, "f", seconds), (123, "B", units)]


def _affine(head: bytes, byte_order: str, *, is_nifti2: bool) -> Affine:
    """Return sform, else qform, else the voxel sizes alone (nifti1.h, methods 3, 2 and 1)."""
    geometry = _geometry(head, byte_order, is_nifti2=is_nifti2)
    return geometry.sform or geometry.qform or affine_from_zooms(geometry.zooms)


def _geometry(head: bytes, byte_order: str, *, is_nifti2: bool) -> Geometry:
    """Return the place of the voxels; sform and qform are None unless their codes are above 0."""
    if is_nifti2:
        qform, sform = struct.unpack_from(f"{byte_order}2i", head, 344)
        zooms = struct.unpack_from(f"{byte_order}4d", head, 104)
        quatern = struct.unpack_from(f"{byte_order}6d", head, 352)
        rows = struct.unpack_from(f"{byte_order}12d", head, 400)
    else:
        qform, sform = struct.unpack_from(f"{byte_order}2h", head, 252)
        zooms = struct.unpack_from(f"{byte_order}4f", head, 76)
        quatern = struct.unpack_from(f"{byte_order}6f", head, 256)
        rows = struct.unpack_from(f"{byte_order}12f", head, 280)
    return Geometry(
        zooms[1:4],
        (rows[:4], rows[4:8], rows[8:]) if sform > 0 else None,
        affine_from_quaternion(quatern, zooms) if qform > 0 else None,
    )
