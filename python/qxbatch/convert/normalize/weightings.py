"""Diffusion weighting of the volumes of a stack, and its tables in the form of FSL."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from qxbatch.convert.nifti import Nifti, read_nifti
from qxbatch.convert.normalize.grid import Array, axes, normal
from qxbatch.convert.normalize.model import Frame, Gradient, Vector, Weighting

_NO_DIRECTION: Vector = (0.0, 0.0, 0.0)
_ZERO = 1e-6
"""Smaller lengths and values are 0."""


def stack_weightings(volumes: Sequence[Sequence[Frame]], orientation: Sequence[float]) -> tuple[Weighting, ...]:
    """Return the weighting of each volume; empty if no volume has b > 0, or if directions are in axes of the vendor.

    If other volumes have a b-value, a volume without one has b = 0. If the slices of a volume have another orientation than the
    stack (the scanner followed the head), the direction keeps its angles to the rows and columns of these slices.
    """
    gradients = [
        next((frame.volume_attributes.gradient for frame in volume if frame.volume_attributes.gradient), None)
        for volume in volumes
    ]
    defined = [gradient for gradient in gradients if gradient is not None]
    if not any(gradient.b_value > 0 for gradient in defined) or any(gradient.in_vendor_axes for gradient in defined):
        return ()
    stack_axes = _image_axes(orientation)
    return tuple(
        _weighting(gradient, volume[0], stack_axes) for gradient, volume in zip(gradients, volumes, strict=True)
    )


def _weighting(gradient: Gradient | None, frame: Frame, stack_axes: Array) -> Weighting:
    if gradient is None or gradient.b_value == 0 or not gradient.orientation:
        return Weighting(gradient.b_value if gradient else 0.0, _NO_DIRECTION)
    x, y, z = (_image_axes(frame.orientation) @ np.asarray(gradient.orientation) @ stack_axes).tolist()
    return Weighting(gradient.b_value, (x, y, z))


def _image_axes(orientation: Sequence[float]) -> Array:
    """Return the unit vectors along a row, along a column and along the normal."""
    plane_axes = axes(orientation)
    return np.stack([*plane_axes, normal(plane_axes)])


def write_tables(folder: Path, name: str, weightings: Sequence[Weighting]) -> None:
    """Write `.bval` and `.bvec` beside the image of a stack, replacing those of dcm2niix.

    dcm2niix omits derived volumes (b > 0 without direction) of some vendors; the tables then omit them too. The tables of dcm2niix
    are kept if `weightings` is empty, if the stack has no image of that name, if dcm2niix wrote another number of volumes, or if
    only dcm2niix knows the directions.

    Raises ValueError when the image or its `.bvec` cannot be read, and OSError.
    """
    path = folder / f"{name}.nii"
    if not weightings or not path.is_file():
        return
    image = read_nifti(path)
    if image.volumes < len(weightings):
        weightings = [
            weighting for weighting in weightings if weighting.b_value == 0 or weighting.direction != _NO_DIRECTION
        ]
    if image.volumes != len(weightings) or (
        _have_no_direction(weightings) and _has_directions(path.with_suffix(".bvec"))
    ):
        return
    rows = zip(*(_voxel_axes(weighting.direction, image) for weighting in weightings), strict=True)
    path.with_suffix(".bval").write_text(_row([weighting.b_value for weighting in weightings]), encoding="ascii")
    path.with_suffix(".bvec").write_text("".join(map(_row, rows)), encoding="ascii")


def _have_no_direction(weightings: Sequence[Weighting]) -> bool:
    return all(weighting.direction == _NO_DIRECTION for weighting in weightings)


def _has_directions(path: Path) -> bool:
    return path.is_file() and any(float(word) for word in path.read_text(encoding="ascii").split())


def _voxel_axes(direction: Vector, image: Nifti) -> list[float]:
    """Return a direction in voxel axes, with x negated if the determinant of the affine is positive (FSL)."""
    columns = np.asarray(image.affine)[:, :3]
    unit = columns / np.linalg.norm(columns, axis=0)
    rotated = np.asarray(direction) * (-1, -1, 1) @ unit  # NIfTI's axes point to the right and to the front
    length = float(np.linalg.norm(rotated))
    if np.linalg.det(unit) > 0:
        rotated[0] = -rotated[0]
    return [float(value) for value in (rotated / length if length > _ZERO else np.zeros(3))]


def _row(values: Sequence[float]) -> str:
    """Return numbers as dcm2niix writes them."""
    return " ".join(f"{0.0 if math.isclose(value, 0, abs_tol=_ZERO) else value:g}" for value in values) + "\n"
