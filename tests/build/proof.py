"""Checks images against DICOM files without the program under test: pydicom and nibabel determine what is correct."""

import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, JPEGLSNearLossless

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # nibabel calls its DICOM readers experimental
    from nibabel.nicom.dicomwrappers import wrapper_from_data

Array = NDArray[np.float64]

CLOSE = 0.1
"""Accepted distance of a slice's corners from the position in its header, mm."""
UIH_TILES = 0x00651051
JPEG = (JPEGLosslessSV1, JPEGLSLossless, JPEGLSNearLossless, JPEG2000Lossless)


@dataclass(frozen=True)
class Frame:
    """A slice according to its header: the corners of its pixel grid in RAS+ mm, and its values."""

    first_pixel: Array
    row: Array
    """From the first pixel of a row to the last."""
    column: Array
    stored: Array
    """Stored values, shape (rows, columns)."""
    slopes: tuple[tuple[float, float], ...]
    """Slopes and intercepts that may map them to the image's values."""
    is_unread: bool = False
    """Whether only its position can be compared: pydicom alone cannot decompress JPEG."""


def faults_of(files: Sequence[Dataset], images: Sequence[Path], *, places: bool = True) -> list[str]:
    """Return the faults of images of these files; without `places` only values count, as after motion.

    Every slice of every image must show a frame at its position with all its values, and every frame must be in an image.
    """
    frames = [frame for file in files for frame in frames_of(file)]
    planes: defaultdict[bytes, list[int]] = defaultdict(list)
    for k, frame in enumerate(frames):
        planes[b"".join(part.tobytes() for part in (frame.first_pixel, frame.row, frame.column))].append(k)
    shown = [False] * len(frames)
    faults = []
    for path in images:
        image: Any = nibabel.load(path)
        data = np.asarray(image.dataobj, np.float64)
        volumes = data.reshape(*data.shape[:3], -1)
        for place, values in _slices(volumes, image.affine, frames[0]):
            inverse = np.asarray(np.linalg.pinv(place[:, :2]).T, np.float64)
            grids = (
                (same, _voxels(frames[same[0]], place, inverse, values.shape, places=places))
                for same in planes.values()
            )
            candidates = [(k, voxels) for same, voxels in grids if voxels is not None for k in same]
            for volume in range(volumes.shape[3]):
                matches = [k for k, voxels in candidates if _shows(frames[k], values[..., volume][voxels])]
                if matches:
                    shown[next((k for k in matches if not shown[k]), matches[0])] = True
                else:
                    faults.append(f"{path.name}: a slice of volume {volume + 1} shows no frame")
    absent = shown.count(False)
    return faults + ([f"{absent} of {len(frames)} frames are in no image"] if absent else [])


def _slices(volumes: Array, affine: Array, frame: Frame) -> Iterator[tuple[Array, Array]]:
    """Yield each slice along the axis on which the frames are stacked: its affine without that axis, and its values."""
    normal = np.cross(frame.row, frame.column)
    cosines = [abs(normal @ affine[:3, k]) / np.linalg.norm(affine[:3, k]) for k in range(3)]
    axis = int(np.argmax(cosines))
    for index in range(volumes.shape[axis]):
        in_plane = np.delete(affine[:3, :3], axis, axis=1)
        first_pixel = affine[:3, 3] + index * affine[:3, axis]
        yield np.column_stack([in_plane, first_pixel]), np.take(volumes, index, axis=axis)


def _voxels(
    frame: Frame, place: Array, inverse: Array, shape: tuple[int, ...], *, places: bool
) -> tuple[Any, Any] | None:
    """Return the voxels of a slice at a frame's pixels, for any orientation of its axes; None if they do not match.

    `inverse` maps millimetres in the slice `place` to indices of voxels.
    """
    corners = frame.first_pixel + np.array([np.zeros(3), frame.row, frame.column])
    if places and _distance(corners, place, np.rint((corners - place[:, 2]) @ inverse)) > CLOSE:
        return None
    rows, columns = frame.stored.shape
    x, y = np.meshgrid(np.arange(columns) / max(1, columns - 1), np.arange(rows) / max(1, rows - 1))
    points = frame.first_pixel + x[..., None] * frame.row + y[..., None] * frame.column
    nearest = np.rint((points - place[:, 2]) @ inverse).astype(int)
    if not places:
        nearest = nearest - nearest.min(axis=(0, 1))
    elif _distance(points, place, nearest) > CLOSE:
        return None
    if nearest.min() < 0 or (nearest.max(axis=(0, 1)) >= shape[:2]).any():
        return None
    return nearest[..., 0], nearest[..., 1]


def _distance(points: Array, place: Array, indices: NDArray[Any]) -> float:
    """Return the largest distance of points from voxels of a slice, mm."""
    return float(np.linalg.norm(points - place[:, 2] - indices @ place[:, :2].T, axis=-1).max())


def _shows(frame: Frame, values: Array) -> bool:
    """Return whether these are the values of a frame."""
    return frame.is_unread or any(_equal(frame.stored * a, b, values, 1e-3 * abs(a)) for a, b in frame.slopes)


def _equal(scaled: Array, intercept: float, values: Array, rounding: float) -> bool:
    """Compare with a tolerance: slopes are rounded to six digits in some headers, and to single precision in images."""
    tolerance = 1e-5 * (np.abs(scaled) + abs(intercept)) + rounding
    return bool((np.abs(scaled + intercept - values) <= tolerance).all())


def frames_of(file: Dataset) -> list[Frame]:
    """Return the frames of an object: one, those of an enhanced object, or the tiles of a mosaic."""
    kind = [str(value) for value in file.get("ImageType", [])]
    if "MOSAIC" in kind:
        return _mosaic(file)
    if "VFRAME" in kind:
        return _vframe(file)
    unread = file.file_meta.TransferSyntaxUID in JPEG
    if unread:
        return [_frame(file, np.zeros((file.Rows, file.Columns)), file.ImagePositionPatient, (), unread=True)]
    pixels = _stored(file)
    if "PerFrameFunctionalGroupsSequence" not in file:
        return [_frame(file, pixels, file.ImagePositionPatient, _slopes([file]))]
    shared = file.SharedFunctionalGroupsSequence[0] if "SharedFunctionalGroupsSequence" in file else Dataset()
    groups = [(group, shared) for group in file.PerFrameFunctionalGroupsSequence]
    stack = pixels.reshape(len(groups), file.Rows, file.Columns)
    return [_enhanced(group, stack[k], file) for k, group in enumerate(groups)]


def _stored(file: Dataset) -> NDArray[Any]:
    """Return the stored values: the bits up to HighBit, where pydicom reads the lowest BitsStored bits."""
    low = file.HighBit + 1 - file.BitsStored
    if low == 0 or file.file_meta.TransferSyntaxUID.is_compressed:
        return np.asarray(file.pixel_array)
    words = np.frombuffer(file.PixelData, "<u2" if file.is_little_endian else ">u2")
    values = words >> low & ((1 << file.BitsStored) - 1)
    return np.asarray(values.reshape(file.get("NumberOfFrames") or 1, file.Rows, -1).squeeze())


def _frame(
    header: Dataset, stored: NDArray[Any], position: Sequence[float], slopes: Any, *, unread: bool = False
) -> Frame:
    row, column = np.reshape(np.asarray(header.ImageOrientationPatient, float), (2, 3))
    between_rows, between_columns = map(float, header.PixelSpacing)
    ras = np.array([-1, -1, 1])
    return Frame(
        ras * np.asarray(position, float),
        ras * row * between_columns * (stored.shape[1] - 1),
        ras * column * between_rows * (stored.shape[0] - 1),
        np.asarray(stored, np.float64),
        slopes,
        unread,
    )


def _enhanced(group: tuple[Dataset, Dataset], stored: NDArray[Any], file: Dataset) -> Frame:
    header = Dataset()
    wanted = {
        "PlanePositionSequence": "ImagePositionPatient",
        "PlaneOrientationSequence": "ImageOrientationPatient",
        "PixelMeasuresSequence": "PixelSpacing",
    }
    for sequence, keyword in wanted.items():
        holder = next(part for part in group if sequence in part)
        setattr(header, keyword, holder[sequence][0][keyword].value)
    macros = [part.PixelValueTransformationSequence[0] for part in group if "PixelValueTransformationSequence" in part]
    philips = [part[tag][0] for part in group for tag in (0x2005140F,) if tag in part]
    return _frame(header, stored, header.ImagePositionPatient, _slopes([*macros[:1], *philips, file]))


def _slopes(headers: Sequence[Dataset]) -> tuple[tuple[float, float], ...]:
    """Return slope and intercept of rescaled values; if there is Philips' scale slope, also of its values and of stored values."""
    rescale = next((header for header in headers if "RescaleSlope" in header), None)
    slope, intercept = (float(rescale.RescaleSlope), float(rescale.RescaleIntercept)) if rescale else (1.0, 0.0)
    slopes = [(slope, intercept)]
    scale = next((header[0x2005100E].value for header in headers if 0x2005100E in header), None)
    if scale:
        slopes.append((1 / float(scale), intercept / (slope * float(scale))))
    return (*slopes, (1.0, 0.0)) if scale else tuple(slopes)


def _mosaic(file: Dataset) -> list[Frame]:
    """Return the tiles as nibabel finds them by the CSA header; its axes are (row, column, slice) in LPS+."""
    unread = file.file_meta.TransferSyntaxUID in JPEG
    plain = deepcopy(file)
    plain.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    stored = np.zeros((file.Rows, file.Columns), "<u2") if unread else _stored(file)
    plain.PixelData = stored.astype("<i2").tobytes()
    plain.BitsStored, plain.HighBit, plain.PixelRepresentation = 16, 15, 1
    wrapper = wrapper_from_data(plain)
    if not wrapper.is_mosaic:
        return [_frame(file, stored, file.ImagePositionPatient, _slopes([file]))]
    data, affine = wrapper.get_unscaled_data(), np.diag([-1, -1, 1]) @ np.asarray(wrapper.affine)[:3]
    rows, columns, count = data.shape[:3]
    return [
        Frame(
            affine[:, 3] + k * affine[:, 2],
            affine[:, 1] * (columns - 1),
            affine[:, 0] * (rows - 1),
            np.asarray(data[:, :, k], np.float64),
            _slopes([file]),
            unread,
        )
        for k in range(count)
    ]


def _vframe(file: Dataset) -> list[Frame]:
    if UIH_TILES not in file:
        return [_frame(file, _stored(file), file.ImagePositionPatient, _slopes([file]))]
    tiles = file[UIH_TILES].value
    across = int(np.ceil(np.sqrt(len(tiles))))
    down = int(np.ceil(len(tiles) / across))
    rows, columns = file.Rows // down, file.Columns // across
    pixels = _stored(file)
    return [
        _frame(
            file,
            pixels[(k // across) * rows :, (k % across) * columns :][:rows, :columns],
            tile.ImagePositionPatient,
            _slopes([file]),
        )
        for k, tile in enumerate(tiles)
    ]
