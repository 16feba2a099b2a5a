"""Missing slices, uneven volumes and stopped scans, found from the headers before anything is converted."""

import math
from collections import Counter, defaultdict
from itertools import pairwise

from qxbatch.convert.evidence import Evidence
from qxbatch.model import Series
from qxbatch.problems import Code, Problem, Severity

_GAP = 1.5
"""A step between neighbours of more than so many usual steps is a gap."""
_FEW = 4
"""Fewer slices than this tell nothing about a usual step (localizers)."""
_TOLERANCE = 0.05
"""Positions within so many mm are one: scanners round to 5 or 6 digits."""


def findings(series: Series, evidence: Evidence) -> list[Problem]:
    """Return what is odd about a series, as warnings: it is converted all the same."""
    planes: defaultdict[str, Counter[float]] = defaultdict(Counter)
    for (plane, along), count in sorted(evidence.places.items()):
        planes[plane][_known(planes[plane], along)] += count
    found = [text for places in planes.values() for text in _plane(places)]
    odd = [review(series, text) for text in found]
    return odd or _instances(series, evidence) or _announced(series, evidence)


def review(series: Series, message: str) -> Problem:
    """Return a warning that marks a series for review."""
    return Problem(
        Code.CONVERT_REVIEW,
        subject(series),
        message,
        "Look at its images before using them.",
        Severity.WARNING,
    )


def note(series: Series, message: str) -> Problem:
    """Return what is worth knowing of a series and no fault."""
    return Problem(Code.CONVERT_NOTE, subject(series), message, "", Severity.INFO)


def subject(series: Series) -> str:
    """Return how problems name a series."""
    return f"series {series.n}"


def _known(places: Counter[float], along: float) -> float:
    """Return the place that this position belongs to; positions come in rising order."""
    last = next(reversed(places), None)
    return last if last is not None and math.isclose(last, along, abs_tol=_TOLERANCE) else along


def _plane(places: Counter[float]) -> list[str]:
    """Return what is odd about the slices of one orientation."""
    if len(places) < _FEW:
        return []
    found = []
    along = sorted(places)
    steps = [after - before for before, after in pairwise(along)]
    usual = sorted(steps)[len(steps) // 2]
    gaps = [index for index, step in enumerate(steps) if step > _GAP * usual]
    if gaps and len(gaps) <= len(steps) // 4:
        missing = sum(round(steps[index] / usual) - 1 for index in gaps)
        found.append(
            f"slices seem to be missing: {missing} at {along[gaps[0]]:g} mm and beyond (the usual step is {usual:g} mm)."
        )
    most, least = max(places.values()), min(places.values())
    if most != least:
        found.append(_uneven(places, most, least))
    return found


def _uneven(places: Counter[float], most: int, least: int) -> str:
    short = sum(1 for count in places.values() if count < most)
    if least == most - 1:
        return f"one volume is incomplete: {short} of {len(places)} slices are missing (a stopped scan, or lost files)."
    return f"volumes are uneven: slices have between {least} and {most} images."


def _announced(series: Series, evidence: Evidence) -> list[Problem]:
    """Return a warning when there are fewer time points or images than the headers announce: a stopped scan."""
    if evidence.enhanced:
        return []
    times = evidence.files if evidence.mosaic else max(evidence.places.values(), default=0)
    if times and evidence.volumes and times < evidence.volumes:
        return [
            review(series, f"the headers announce {evidence.volumes} time points, there are {times} (a stopped scan?).")
        ]
    if evidence.announced and evidence.files < evidence.announced:
        message = f"the headers announce {evidence.announced} images, there are {evidence.files} (a stopped scan?)."
        return [review(series, message)]
    return []


def _instances(series: Series, evidence: Evidence) -> list[Problem]:
    """Return a warning when numbers are left out between the first and the last image of files that tell no place."""
    if evidence.places and not (evidence.mosaic or evidence.enhanced):
        return []
    known = evidence.instances
    if not known or len(known) < 2 or sum(known.values()) != evidence.files:  # noqa: PLR2004 (one tells nothing)
        return []
    absent = max(known) - min(known) + 1 - len(known)
    if not 0 < absent <= len(known):
        return []
    return [review(series, f"{absent} image number(s) between {min(known)} and {max(known)} are missing.")]
