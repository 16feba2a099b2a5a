"""A small picture of a NIfTI image: its middle slices, axial, coronal and sagittal, as a radiologist's list shows them."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qxbatch.importing import importing
from qxbatch.page.png import encode_png

HEIGHT = 128
"""Pixels of each slice's longer side."""
LARGEST = 64 << 20
"""Voxels; the picture of a larger volume is made of every second or third voxel of it."""
PERCENTILES = (1, 99)


def write_picture(nifti: Path, out: Path) -> bool:
    """Write a PNG of the image's first volume; False when it has none that can be shown.

    Raises OSError when `out` cannot be written.
    """
    with importing():
        import nibabel as nib

    try:
        image: Any = nib.load(nifti)
        volume = first_volume(image)
        zooms = tuple(float(z) if np.isfinite(z) and z > 0 else 1.0 for z in image.header.get_zooms()[:3])
        slices = middle_slices(volume, image.affine, (*zooms, 1.0, 1.0)[:3])
    except Exception:  # noqa: BLE001 - nibabel and numpy raise anything on odd images; a picture is no result
        return False
    if not slices:
        return False
    out.write_bytes(encode_png(side_by_side([grey(piece) for piece in slices])))
    return True


def first_volume(image: Any) -> NDArray[np.float32]:
    """Return the first volume, shape (x, y, z), as float32; colours become their mean."""
    proxy = image.dataobj
    shape = (*image.shape, 1, 1, 1)[:3]
    step = max(1, round((np.prod(shape, dtype=float) / LARGEST) ** (1 / 3)))
    index = tuple(slice(None, None, step) for _ in image.shape[:3]) + (0,) * max(0, len(image.shape) - 3)
    data = np.asarray(proxy[index])
    if data.dtype.names:
        data = np.mean([data[name] for name in data.dtype.names], axis=0)
    if np.iscomplexobj(data):
        data = np.abs(data)
    data = data.astype(np.float32)
    return data.reshape((*data.shape, 1, 1, 1)[:3])


def middle_slices(
    volume: NDArray[np.float32], affine: NDArray[np.float64], zooms: tuple[float, ...]
) -> list[NDArray[np.float32]]:
    """Return the middle slices along the three axes, scaled to millimetres, up is superior or anterior.

    A volume of one slice gives that slice alone.
    """
    with importing():
        import nibabel as nib

    orientation = nib.io_orientation(affine)
    if np.isnan(orientation).any():
        orientation = np.array([[0, 1], [1, 1], [2, 1]])
    turned = nib.apply_orientation(volume, orientation)
    size = [0.0] * 3
    for axis, (place, _) in enumerate(orientation):
        size[int(place)] = zooms[axis]
    pieces = []
    thin = min(turned.shape) == 1 or min(turned.shape) * 8 < max(turned.shape)
    for axis in (2, 1, 0):
        if thin and turned.shape[axis] != min(turned.shape):
            continue
        piece = np.take(turned, turned.shape[axis] // 2, axis=axis)
        across, up = (size[i] for i in range(3) if i != axis)
        pieces.append(scale(piece.T[::-1], up, across))
        if thin:
            break
    return pieces


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
