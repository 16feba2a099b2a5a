"""A small picture of a NIfTI image: its middle slices, axial, coronal and sagittal, as a radiologist's list shows them."""

import os
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # it would start a thread per CPU, and nothing here needs one
import numpy as np
from numpy.typing import NDArray

from qxbatch.convert.nifti import Affine, read_nifti
from qxbatch.page.png import encode_png

HEIGHT = 128
"""Pixels of each slice's longer side."""
LARGEST = 64 << 20
"""Voxels; the picture of a larger volume is made of every second or third voxel of it."""
PERCENTILES = (1, 99)
TYPES = {
    2: "u1",
    4: "i2",
    8: "i4",
    16: "f4",
    32: "c8",
    64: "f8",
    128: "(3,)u1",
    256: "i1",
    512: "u2",
    768: "u4",
    1024: "i8",
    1280: "u8",
    1792: "c16",
    2304: "(4,)u1",
}
"""Voxel types by NIfTI's codes (nifti1.h); a colour is three or four bytes."""


def write_picture(nifti: Path, out: Path) -> bool:
    """Write a PNG of the first volume of an uncompressed NIfTI; False when it has none that can be shown.

    Raises OSError when `out` cannot be written.
    """
    try:
        volume, affine = first_volume(nifti)
        with np.errstate(all="ignore"):
            slices = [grey(piece) for piece in middle_slices(volume, affine)]
    except (ValueError, OSError, MemoryError):
        return False
    out.write_bytes(encode_png(side_by_side(slices)))
    return True


def first_volume(path: Path) -> tuple[NDArray[np.float32], Affine]:
    """Return the first volume, shape (x, y, z), as float32, and its affine; colours become their mean.

    Raises ValueError when the file is no NIfTI, or of a type that cannot be shown.
    """
    header = read_nifti(path)
    if header.datatype not in TYPES:
        raise ValueError(f"voxels of type {header.datatype}")
    word = TYPES[header.datatype]
    depth = int(word[1]) if word.startswith("(") else 1
    shape = (*header.shape, 1, 1, 1)[:3]
    lengths = (depth, *shape) if depth > 1 else shape
    voxel = np.dtype(f"{header.order}{word[word.find(chr(41)) + 1 :]}")
    stored = np.memmap(path, voxel, "r", header.offset, lengths, order="F")
    data = stored.mean(axis=0) if depth > 1 else stored
    step = max(1, round((np.prod(shape, dtype=float) / LARGEST) ** (1 / 3)))
    data = np.asarray(data[::step, ::step, ::step])
    return (np.abs(data) if np.iscomplexobj(data) else data).astype(np.float32), header.affine


def middle_slices(volume: NDArray[np.float32], affine: Affine) -> list[NDArray[np.float32]]:
    """Return the middle slices, axial, coronal and sagittal, with square pixels; up is superior or anterior.

    A volume of one slice, or of few thick ones, gives its middle slice alone.
    """
    matrix = np.array([row[:3] for row in affine])
    axes = world_axes(matrix)
    sizes = [float(np.linalg.norm(matrix[:, axis])) or 1.0 for axis in axes]
    turned = np.transpose(volume, axes)
    for world, axis in enumerate(axes):
        if matrix[world, axis] < 0:
            turned = np.flip(turned, world)
    thin = min(turned.shape) == 1 or min(turned.shape) * 8 < max(turned.shape)
    shown = [int(np.argmin(turned.shape))] if thin else [2, 1, 0]
    pieces = []
    for world in shown:
        piece = np.take(turned, turned.shape[world] // 2, axis=world)
        across, up = (sizes[other] for other in range(3) if other != world)
        pieces.append(scale(piece.T[::-1], up, across))
    return pieces


def world_axes(matrix: NDArray[np.float64]) -> list[int]:
    """Return the voxel axis that runs most along each of x, y and z; each is used once."""
    strength = np.abs(matrix / (np.linalg.norm(matrix, axis=0) + np.finfo(float).tiny))
    axes = [-1, -1, -1]
    for _ in range(3):
        world, axis = np.unravel_index(int(np.argmax(strength)), strength.shape)
        axes[int(world)] = int(axis)
        strength[world, :] = -1
        strength[:, axis] = -1
    return axes


def scale(piece: NDArray[np.float32], row_mm: float, column_mm: float) -> NDArray[np.float32]:
    """Return a slice with square pixels, its longer side HEIGHT pixels (nearest neighbour)."""
    high, wide = piece.shape[0] * row_mm, piece.shape[1] * column_mm
    factor = HEIGHT / max(high, wide)
    rows = np.arange(max(1, round(high * factor))) * piece.shape[0] // max(1, round(high * factor))
    columns = np.arange(max(1, round(wide * factor))) * piece.shape[1] // max(1, round(wide * factor))
    scaled: NDArray[np.float32] = piece[rows][:, columns]
    return scaled


def grey(piece: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return a slice as 8-bit grey, from its 1st to its 99th percentile."""
    finite = np.nan_to_num(piece, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = np.percentile(finite, PERCENTILES)
    if high <= low:
        low, high = float(finite.min()), float(finite.max())
    span = float(high - low) or 1.0
    shown: NDArray[np.uint8] = (np.clip((finite - low) / span, 0, 1) * 255).astype(np.uint8)
    return shown


def side_by_side(pieces: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Return pieces in one row, each in the middle of a black field."""
    sheet = np.zeros((HEIGHT, sum(piece.shape[1] for piece in pieces) + 4 * (len(pieces) - 1)), np.uint8)
    at = 0
    for piece in pieces:
        top = (HEIGHT - piece.shape[0]) // 2
        sheet[top : top + piece.shape[0], at : at + piece.shape[1]] = piece
        at += piece.shape[1] + 4
    return sheet
