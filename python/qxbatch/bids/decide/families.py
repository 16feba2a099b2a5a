"""Families: images whose runs are counted together, such as BOLD and SBRef, or the images of a field map."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from qxbatch.bids.decide.acquisitions import AcquiredImages, MatchedImage, par_acquisition_number
from qxbatch.bids.schema.names import Schema
from qxbatch.convert.header_values import text

FIELD_MAP_SUFFIXES = ("phasediff", "phase1", "phase2", "magnitude1", "magnitude2", "magnitude", "fieldmap")
"""Suffixes of field maps.

One rule with any of these can match all images of a field map: kind and echo of each image then decide its suffix.
"""
_DIFFUSION_MAPS = ("ADC", "FA", "S0map", "colFA", "expADC", "trace")
_FAMILIES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("func", "bold"): ("bold", "cbv", "phase", "sbref"),
    ("dwi", "dwi"): ("dwi", "sbref", *_DIFFUSION_MAPS),
    ("anat", "MP2RAGE"): ("MP2RAGE", "UNIT1", "T1map"),
    ("fmap", "phasediff"): FIELD_MAP_SUFFIXES,
}
"""All suffixes of a family, by its data type and the suffix that stands for it."""
_COMPANIONS = ("sbref", "UNIT1", "T1map", *_DIFFUSION_MAPS)
"""Suffixes of companions: images that get the run number of another image, unless the session has only companions of the family."""
_PRECEDING_COMPANIONS = ("sbref",)
"""Suffixes of companions that are scanned before the run they belong to."""
_SET_ENTITIES = ("flip", "inv", "mt")
"""If a suffix requires one of these entities, its images are scanned one after the other, and form one run."""
_PRECEDING_TOLERANCE = 0.6
"""An SBRef that begins at most this many seconds after a run counts as scanned before it."""


class Family(NamedTuple):
    """The properties that images have in common if their runs are counted together."""

    datatype: str
    suffix: str
    """The suffix that stands for all suffixes of the family: `bold` for an SBRef in `func`."""
    entities: tuple[tuple[str, str], ...]
    """Short name and value of the entities that all images of a run share."""


def family_of(matched: MatchedImage) -> Family:
    """Return the family of an image."""
    target = matched.target
    for (datatype, main), suffixes in _FAMILIES.items():
        if target.datatype == datatype and target.suffix in suffixes:
            return Family(datatype, main, _run_entities(target.entities))
    return Family(target.datatype, target.suffix, _run_entities(target.entities))


def _run_entities(entities: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return entities without those that distinguish images of one run."""
    return tuple(pair for pair in entities if pair[0] not in ("echo", "part", "inv", "flip", "mt"))


def is_companion(matched: MatchedImage) -> bool:
    """Return whether an image has the suffix of a companion, such as an SBRef."""
    return matched.target.suffix in _COMPANIONS


def max_echoes(family: Family) -> int:
    """Return how many echo times the images of one run can have; 0: any number."""
    return 2 if family.datatype == "fmap" and family.suffix in FIELD_MAP_SUFFIXES else 0


def is_scanned_as_set(family: Family, schema: Schema) -> bool:
    """Return whether one run can consist of images that are scanned one after the other."""
    if max_echoes(family):
        return True
    entities = schema.entities(family.datatype, family.suffix)
    return any(name in entities and entities[name].is_required for name in _SET_ENTITIES)


def run_of_companion(companion: AcquiredImages, runs: list[AcquiredImages]) -> AcquiredImages | None:
    """Return the run that a companion belongs to: for an SBRef the next run, for others the one that begins nearest in time.

    None for an SBRef that no run follows. Runs of other DICOM studies are used only if the study of the companion has no run. If
    the time of the companion or of one of the runs is not known, series numbers decide.
    """
    candidates = [run for run in runs if _studies(run) & _studies(companion)] or runs
    if len(candidates) == 1 and not _precedes_run(companion):
        return candidates[0]
    start = companion.start
    timed_runs = [(run_start, run) for run in candidates if (run_start := run.start) is not None]
    if start is None or len(timed_runs) < len(candidates):
        return _run_by_number(companion, candidates)
    gaps = [((run_start - start).total_seconds(), run) for run_start, run in timed_runs]
    if _precedes_run(companion):
        gaps = [(gap, run) for gap, run in gaps if gap >= -_PRECEDING_TOLERANCE]
    return min(gaps, key=lambda pair: abs(pair[0]), default=(0.0, None))[1]


def _run_by_number(companion: AcquiredImages, runs: list[AcquiredImages]) -> AcquiredImages | None:
    """Return the run that a companion belongs to by series numbers.

    For PAR/REC it is the run with the same acquisition number, if one exists. Otherwise it is the next run for an SBRef, None
    if there is no next one; for other companions the last run before the companion, else the first run.
    """
    par_numbers = _par_acquisition_numbers(companion)
    same_acquisition = [run for run in runs if _par_acquisition_numbers(run) & par_numbers]
    if same_acquisition:
        return same_acquisition[0]
    in_order, number = sorted(runs, key=_lowest_number), _lowest_number(companion)
    if _precedes_run(companion):
        return next((run for run in in_order if _lowest_number(run) > number), None)
    earlier = [run for run in in_order if _lowest_number(run) < number]
    return earlier[-1] if earlier else in_order[0]


def _lowest_number(acquisition: AcquiredImages) -> tuple[int, int]:
    """Return the lowest SeriesNumber of an acquisition, and the n of that series, whose folder is `dicom/<n>`.

    A series without SeriesNumber has n // 10 in its place, which is at least 9001.
    """
    images = (member.facts for member in acquisition.members)
    return min(
        (facts.image.series.n // 10 if facts.series_number is None else facts.series_number, facts.image.series.n)
        for facts in images
    )


def _par_acquisition_numbers(acquisition: AcquiredImages) -> set[int]:
    numbers = (par_acquisition_number(member.facts) for member in acquisition.members)
    return {number for number in numbers if number is not None}


def _precedes_run(companion: AcquiredImages) -> bool:
    """Return whether the companion is of a sort that is scanned before its run."""
    return companion.members[0].target.suffix in _PRECEDING_COMPANIONS


def _studies(acquisition: AcquiredImages) -> set[str]:
    """Return the known StudyInstanceUIDs of the images."""
    uids = (text(member.facts.image.series.header, "StudyInstanceUID") for member in acquisition.members)
    return {uid for uid in uids if uid}
