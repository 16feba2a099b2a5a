"""Time and space that one conversion may use, scaled with its series."""

from qxbatch.convert.converter import Converter
from qxbatch.convert.run import Limits
from qxbatch.model import Series

_LEAST_SECONDS = 300.0
_BYTES_PER_SECOND = 1 << 20
"""A slow disk shared with other jobs."""
_LEAST_OUTPUT = 2 << 30
_EXPANSION = 64
"""Compressed DICOM grows; nothing real grows more."""


def limits_for(series: Series, converter: Converter, timeout: float | None) -> Limits:
    """Return the limits of one conversion; `timeout` (seconds) replaces the scaled time."""
    scaled = _LEAST_SECONDS + converter.pace * series.files + series.size / _BYTES_PER_SECOND
    return Limits(scaled if timeout is None else timeout, _LEAST_OUTPUT + _EXPANSION * series.size)
