"""The series of one session, converted and stored."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from qxbatch.convert.nifti import Nifti
from qxbatch.model import Conversion
from qxbatch.pack.series import Stored
from qxbatch.session.summary_parts import ImageStatistics, Sum


class ConvertedSeries(NamedTuple):
    """What became of all series of a session."""

    conversions: tuple[Conversion, ...]
    """In the order of the series."""
    stored: Mapping[int, Stored]
    """How each n is stored."""
    headers: Mapping[Path, Nifti]
    """Of each image, by its path as the converter left it."""
    sums: Mapping[Path, Sum]
    """Of each compressed image, by the same path."""
    statistics: Mapping[Path, ImageStatistics]
    """Of each image that is a time series, by the same path."""
