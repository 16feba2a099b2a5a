"""Facts and verdict of a series, converted or not."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from qxbatch.acquisition import Acquisition, SeriesVerdict
from qxbatch.convert.sop import is_secondary_capture, non_image_kind
from qxbatch.core import SeriesFrames
from qxbatch.inspect.facts import facts
from qxbatch.inspect.observed import observe
from qxbatch.inspect.par import par_acquisition
from qxbatch.inspect.verdict import verdict
from qxbatch.model import HeaderLike, Output
from qxbatch.parrec.table import ParContent

TOO_MANY_FRAMES = "its headers state more frames than files of this size can have, so its frames were not examined."
"""Why such a series is not evaluable, and its images were not compared."""


class SeriesFacts(NamedTuple):
    """Acquisition facts and verdict of a series."""

    acquisition: Acquisition
    verdict: SeriesVerdict
    reason: str = ""
    """Why the series is not evaluable although it may contain images; usually empty."""


def dicom_facts(frames: SeriesFrames, header: HeaderLike, outputs: Sequence[Output] = ()) -> SeriesFacts:
    """Return facts and verdict of a DICOM series; `outputs` are the images converted from it.

    Raises OSError when a file cannot be read.
    """
    acquisition = facts(observe(frames.acquired_stacks(), header, outputs))
    classes = Counter(frames.classes)
    return SeriesFacts(
        acquisition,
        verdict(acquisition, evaluable=not non_image_kind(classes) and not is_secondary_capture(classes)),
        TOO_MANY_FRAMES if frames.has_too_many_frames else "",
    )


def par_facts(header: ParContent) -> SeriesFacts | None:
    """Return facts and verdict of a PAR/REC; None if its table is empty or cannot be read."""
    acquisition = par_acquisition(header)
    return None if acquisition is None else SeriesFacts(acquisition, verdict(acquisition))
