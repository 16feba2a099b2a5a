"""The results of converting and storing the series of one session."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from qxbatch.convert.nifti import Nifti
from qxbatch.model import Conversion
from qxbatch.pack.series import StorageForm
from qxbatch.session.summary_parts import ImageStatistics, SizeAndHash


class ConvertedSession(NamedTuple):
    """The results for all series of one session."""

    conversions: tuple[Conversion, ...]
    """In the order of the series."""
    storage_forms: Mapping[int, StorageForm]
    """How each series is stored, by its number (`Series.n`)."""
    nifti_headers: Mapping[Path, Nifti]
    """The NIfTI header of each image, by its path in the converter's output."""
    checksums: Mapping[Path, SizeAndHash]
    """Size and SHA-256 of each compressed image, by the same path."""
    statistics: Mapping[Path, ImageStatistics]
    """The statistics of each time series, by the same path."""
