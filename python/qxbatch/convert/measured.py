"""Facts and verdict of a series, converted or not."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from qxbatch.acquisition import Acquisition, SeriesVerdict
from qxbatch.convert.sop import no_image, secondary_capture
from qxbatch.core import SeriesFrames
from qxbatch.inspect.facts import facts
from qxbatch.inspect.observed import HeaderLike, observe
from qxbatch.inspect.par import par_facts
from qxbatch.inspect.verdict import verdict
from qxbatch.model import Output
from qxbatch.parrec.table import ParTable


class Measured(NamedTuple):
    """How a series was acquired, and whether it is complete."""

    acquisition: Acquisition
    verdict: SeriesVerdict


def measured(frames: SeriesFrames, header: HeaderLike, outputs: Sequence[Output] = ()) -> Measured:
    """Return facts and verdict of a DICOM series; `outputs` are the images converted from it.

    Raises OSError when a file cannot be read.
    """
    found = facts(observe(frames.acquired(), header, outputs))
    classes = Counter(frames.classes)
    return Measured(found, verdict(found, evaluable=not no_image(classes) and not secondary_capture(classes)))


def measured_par(header: ParTable) -> Measured | None:
    """Return facts and verdict of a PAR/REC; None if its table cannot be read."""
    found = par_facts(header)
    return None if found is None else Measured(found, verdict(found))
