"""Diffusion weighting of a frame: b-value, and gradient direction in patient axes (PS3.3 C.8.13.5.9)."""

import math
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from qxbatch.convert.normalize.grid import axes, normal
from qxbatch.convert.normalize.model import Gradient

# private creators of the blocks that contain b-values and directions (PS3.5 7.8.1)
_SIEMENS = "SIEMENS MR HEADER"
_PHILIPS_B, _PHILIPS_DIRECTION = "Philips Imaging DD 001", "Philips MR Imaging DD 001"
_UIH = "Image Private Header"
_GE_B, _GE_DIRECTION = "GEMS_PARM_01", "GEMS_ACQU_01"
_GE_OFFSET = 100_000
"""GE adds a multiple of this to some b-values."""
_LEAST_LENGTH = 1e-6
"""A shorter vector has no direction."""
_AXES = 3


def read_gradient(header: Dataset, *, enhanced: bool) -> Gradient | None:
    """Return b-value and direction of a frame, from standard or vendor elements; None without a b-value.

    Directions of UIH are in image axes, and are rotated to patient axes. Directions of classic GE objects depend on the
    phase encoding, and are not returned.
    """
    b_value = _b_value(header)
    if b_value is None:
        return None
    directionality = str(_standard_value(header, "DiffusionDirectionality") or "")
    in_vendor_axes = not enhanced and private_value(header, 0x0019, 0xBB, _GE_DIRECTION) is not None
    direction = () if in_vendor_axes or directionality.upper() == "ISOTROPIC" else _direction(header)
    return Gradient(b_value, directionality, direction, in_vendor_axes)


def _b_value(header: Dataset) -> float | None:
    """Return the b-value in s/mm2; None without one."""
    values = (
        _standard_value(header, "DiffusionBValue"),
        private_value(header, 0x0019, 0x0C, _SIEMENS),
        private_value(header, 0x2001, 0x03, _PHILIPS_B),
        private_value(header, 0x0065, 0x09, _UIH),
    )
    b_value = next((number for value in values if (number := _number(value)) is not None), None)
    if b_value is None and (coded := _number(private_value(header, 0x0043, 0x39, _GE_B))) is not None:
        return coded % _GE_OFFSET
    return b_value


def _direction(header: Dataset) -> tuple[float, ...]:
    """Return a unit vector in patient axes; empty if the header has none."""
    in_image_axes = _vector(private_value(header, 0x0065, 0x37, _UIH))
    if in_image_axes:  # this element takes precedence over the standard one, as in dcm2niix
        row, column = axes([float(value) for value in header.ImageOrientationPatient])
        return tuple((np.asarray(in_image_axes) @ np.stack([row, column, normal(np.stack([row, column]))])).tolist())
    philips = [private_value(header, 0x2005, element, _PHILIPS_DIRECTION) for element in (0xB0, 0xB1, 0xB2)]
    candidates = (
        _standard_value(header, "DiffusionGradientOrientation"),
        private_value(header, 0x0019, 0x0E, _SIEMENS),
        None if None in philips else philips,
    )
    return next((vector for value in candidates if (vector := _vector(value))), ())


def _standard_value(header: Dataset, keyword: str) -> Any:
    """Return a standard element from the top level, or from the sequences of an enhanced object that contain it; else None."""
    for name in ("", "MRDiffusionSequence", "DiffusionGradientDirectionSequence"):
        items = [header] if not name else header.get(name) or []
        if items and (value := items[0].get(keyword)) not in (None, ""):
            return value
    return None


def private_value(header: Dataset, group: int, element: int, creator: str) -> Any:
    """Return the value of a private element, whatever block its creator reserved (PS3.5 7.8.1); None if it is absent."""
    try:
        return header.private_block(group, creator)[element].value
    except KeyError:
        return None


def _number(value: Any) -> float | None:
    """Return a finite number that is not negative; None for any other value."""
    try:
        number = float(_first_value(value))
    except (TypeError, ValueError, IndexError):
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _vector(value: Any) -> tuple[float, ...]:
    """Return three numbers as a unit vector; empty for any other value, and for a length below _LEAST_LENGTH."""
    try:
        numbers = [float(_first_value(item)) for item in value]
    except (TypeError, ValueError):
        return ()
    length = math.hypot(*numbers)
    if len(numbers) != _AXES or not math.isfinite(length) or length < _LEAST_LENGTH:
        return ()
    return tuple(number / length for number in numbers)


def _first_value(value: Any) -> Any:
    return value[0] if isinstance(value, MultiValue) else value
