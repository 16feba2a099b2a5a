"""Limits on time and space of one conversion, scaled with its series."""

from qxbatch.convert.converter import Converter
from qxbatch.convert.run import Limits
from qxbatch.model import Series

_LEAST_SECONDS = 300.0
_BYTES_PER_SECOND = 1 << 20
"""Allows for a slow disk that other jobs share."""
_LEAST_OUTPUT = 2 << 30
_EXPANSION = 64
"""Largest ratio of output to input: more than any real compressed DICOM grows."""


def limits_for(series: Series, converter: Converter, timeout: float | None) -> Limits:
    """Return the limits of one conversion; `timeout` (seconds) replaces the scaled time."""
    scaled = _LEAST_SECONDS + converter.pace * series.files + series.size / _BYTES_PER_SECOND
    return Limits(scaled if timeout is None else timeout, _LEAST_OUTPUT + _EXPANSION * series.size)
