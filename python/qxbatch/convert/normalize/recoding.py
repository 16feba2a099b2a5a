"""Chooses one encoding of pixel values for a stack whose frames differ in encoding or scaling."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qxbatch.convert.normalize.errors import CannotNormalizeError
from qxbatch.convert.normalize.model import Frame, PixelEncoding
from qxbatch.convert.normalize.pixels import Values

_TYPES = ("<u2", "<i2", "<i4")
"""Types of stored values in NumPy's notation; the first one that can store all values is used."""
Bounds = tuple[int, int]
"""Smallest and largest value."""


@dataclass(frozen=True)
class Recoding:
    """The type in which the values of all frames are written."""

    dtype: str
    is_rescaled: bool
    """Whether RescaleSlope and RescaleIntercept are applied, and written as 1 and 0."""

    @property
    def encoding(self) -> PixelEncoding:
        """Return the elements that describe the type."""
        bits = np.dtype(self.dtype).itemsize * 8
        return PixelEncoding(bits, bits, bits - 1, np.dtype(self.dtype).kind == "i")


@dataclass
class ValueRange:
    """Range of the values of a stack, stored and rescaled. It includes 0.

    The rescaled range is complete only if all rescaled values are integers.
    """

    low: int = 0
    high: int = 0
    low_rescaled: int = 0
    high_rescaled: int = 0
    all_integers: bool = True
    """Whether all rescaled values are integers; False also if a frame cannot be decoded (copies.py)."""

    def add(self, values: Values, frame: Frame) -> None:
        """Include the values of one frame."""
        self.low, self.high = min(self.low, int(values.min())), max(self.high, int(values.max()))
        if not self.all_integers:
            return
        rescaled = rescale(values, frame)
        self.all_integers = bool(np.array_equal(rescaled, np.rint(rescaled)))
        self.low_rescaled = min(self.low_rescaled, int(np.floor(rescaled.min())))
        self.high_rescaled = max(self.high_rescaled, int(np.ceil(rescaled.max())))


def rescale(values: Values, frame: Frame) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return output values: slope x stored value + intercept (PS3.3 C.11.1)."""
    return np.asarray(values.astype(np.float64) * frame.slope + frame.intercept)


def depends_on_values(frames: Sequence[Frame]) -> bool:
    """Return whether the common type of a stack depends on the values, not only on the headers.

    Raises CannotNormalizeError when encodings vary and no type of up to 32 bits can store all values that they allow.
    """
    return _may_be_rescaled(frames) or (encoding_varies(frames) and _type_for(declared_range(frames)) == _TYPES[-1])


def choose_recoding(frames: Sequence[Frame], value_range: ValueRange | None) -> Recoding | None:
    """Return the common type of a stack; None if its frames can remain unchanged.

    Raises CannotNormalizeError when no type of up to 32 bits can store all values, or when the encoding of colours varies.
    """
    if not (encoding_varies(frames) or _may_be_rescaled(frames)):
        return None
    if any(frame.samples_per_pixel > 1 for frame in frames):
        raise CannotNormalizeError("the encoding of colour pixels varies")
    if value_range is not None and _may_be_rescaled(frames) and value_range.all_integers:
        return Recoding(_type_for((value_range.low_rescaled, value_range.high_rescaled)), True)
    if not encoding_varies(frames):
        return None
    return Recoding(_type_for((value_range.low, value_range.high) if value_range else declared_range(frames)), False)


def declared_range(frames: Sequence[Frame]) -> Bounds:
    """Return the range of values that BitsStored and PixelRepresentation of all frames allow."""
    encodings = {frame.encoding for frame in frames}
    low = min(-(1 << (encoding.bits_stored - 1)) if encoding.is_signed else 0 for encoding in encodings)
    return low, max((1 << (encoding.bits_stored - encoding.is_signed)) - 1 for encoding in encodings)


def encoding_varies(frames: Sequence[Frame]) -> bool:
    """Return whether the encodings of the frames differ."""
    return len({frame.encoding for frame in frames}) > 1


def _may_be_rescaled(frames: Sequence[Frame]) -> bool:
    """Return whether RescaleSlope or RescaleIntercept varies, and may be applied."""
    varies = len({(frame.slope, frame.intercept) for frame in frames}) > 1
    return varies and not any(frame.is_philips or frame.samples_per_pixel > 1 for frame in frames)


def _type_for(bounds: Bounds) -> str:
    """Return the first of _TYPES that can store values within these bounds. Raises CannotNormalizeError if none can."""
    for dtype in _TYPES:
        limits = np.iinfo(dtype)
        if limits.min <= bounds[0] and bounds[1] <= limits.max:
            return dtype
    raise CannotNormalizeError(f"values from {bounds[0]} to {bounds[1]} do not fit into 32 bits")
