"""Limits on time and space of one conversion, scaled with its series."""

from qxbatch.convert.converter import Converter
from qxbatch.convert.run import ProcessLimits
from qxbatch.model import Series

_LEAST_SECONDS = 300.0
"""Time limit of a series without files and bytes."""
_BYTES_PER_SECOND = 1 << 20
"""Lowest plausible speed, that of a slow disk which other jobs use too."""
_LEAST_OUTPUT = 2 << 30
"""Limit on the output of a series without bytes, in bytes."""
_EXPANSION = 64
"""Additional bytes of output for each byte of the series: real compressed DICOM expands less."""


def limits_for(series: Series, converter: Converter, timeout: float | None) -> ProcessLimits:
    """Return the limits of one conversion; `timeout` (seconds) replaces the scaled time."""
    scaled_seconds = _LEAST_SECONDS + converter.max_seconds_per_file * series.files + series.size / _BYTES_PER_SECOND
    return ProcessLimits(scaled_seconds if timeout is None else timeout, _LEAST_OUTPUT + _EXPANSION * series.size)
