"""Field maps and the runs that they correct, as groups of the images of one session."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from itertools import count
from typing import Any, NamedTuple

from qxbatch.bids.images.acquisition_time import Interval, acquisition_interval
from qxbatch.bids.images.numbers import is_plausible_number
from qxbatch.bids.model import FieldMapOptions, PlacedImage
from qxbatch.bids.schema.image_path import ImagePath

DEFAULT_FIELD_MAP_OPTIONS = FieldMapOptions(("shim", "geometry", "nearest-time"), ("B0FieldIdentifier", "IntendedFor"))
"""The options of a field map whose rule has no `serves`."""
_PEPOLAR = ("epi", "m0scan")
"""Suffixes in `fmap` of scans that are compared with scans of the opposite phase encoding direction."""
_PHASE = ("phasediff", "phase1", "phase2")
_DIRECT = ("fieldmap",)
"""Suffix of images whose values are the field itself."""
_MAGNITUDE = ("magnitude", "magnitude1", "magnitude2")
_CORRECTABLE = {"func": ("bold", "cbv", "sbref"), "dwi": ("dwi", "sbref"), "perf": ("asl", "m0scan")}
"""Suffixes of images that a field map corrects, by data type."""
_ENTITIES_WITHIN_RUN = ("echo", "part")
"""Entities that distinguish the images of one acquisition."""
_DECIMALS = 2
"""Decimals to which shims, and fields of view in mm, are rounded before they are compared."""


class FieldMapKind(StrEnum):
    """How a field is estimated."""

    PEPOLAR = "pepolar"
    """From scans of different phase encoding directions."""
    PHASE = "phase"
    """From phase images, or a phase difference."""
    DIRECT = "direct"
    """The values of an image are the field."""


Geometry = tuple[object, ...]
"""Orientation, field of view in mm, and matrix; None for each that is not known."""


class ScanFacts(NamedTuple):
    """The facts that decide whether a field map fits an image; None and empty values are not known."""

    shim: tuple[float, ...] | None
    """ShimSetting, rounded."""
    geometry: Geometry
    direction: str
    """Phase encoding direction: `j-`; if it is not known, the label of `dir-`."""
    axis: str
    """Phase encoding axis: `i`, `j` or `k`."""
    interval: Interval | None
    """From the first begin to the last end of the images; None if no time is known."""
    study_uid: str
    """StudyInstanceUID."""


class Run(NamedTuple):
    """Images whose names differ only in echo, part and suffix: they are corrected together. M0 scans are separate runs."""

    key: str
    """What the names of its images have in common: no other run has it."""
    images: tuple[PlacedImage, ...]
    facts: ScanFacts

    @property
    def shim(self) -> tuple[float, ...] | None:
        """Return ShimSetting, rounded; None if it is not known."""
        return self.facts.shim

    @property
    def path_for_estimation(self) -> str:
        """Return the path of the image of the run that completes a field map which is not complete (`FieldMap.is_complete`).

        Magnitude images are preferred, then single-band references, then the lowest echo.
        """
        return min(self.images, key=_estimation_sort_key).path


class FieldMap(NamedTuple):
    """The images of one estimate of the field."""

    kind: FieldMapKind | None
    """None if there are only magnitude images."""
    images: tuple[PlacedImage, ...]
    facts: ScanFacts
    directions: frozenset[str]
    """The known phase encoding directions of the images."""
    field_map_options: FieldMapOptions
    identifier: str
    """The value of B0FieldIdentifier."""
    rank_in_time: int
    """Position among the field maps of the session, by time."""

    @property
    def shim(self) -> tuple[float, ...] | None:
        """Return ShimSetting, rounded; None if it is not known."""
        return self.facts.shim

    @property
    def is_complete(self) -> bool:
        """Return False for PEPOLAR scans without two known directions: the field is estimated from them and an image of a run."""
        return self.kind is not FieldMapKind.PEPOLAR or len(self.directions) > 1

    def can_correct(self, run: Run) -> bool:
        """Return whether the field map can correct a run; it cannot if the run is of another DICOM study.

        PEPOLAR scans that are not complete need a run that has another known direction and shares no image with them. With
        `geometry` in `serves` of the rule, PEPOLAR scans must also have the phase encoding axis of the run; an unknown axis fits
        every axis.
        """
        if self.kind is None or self.is_of_other_dicom_study(run):
            return False
        if self.kind is not FieldMapKind.PEPOLAR:
            return True
        if (
            "geometry" in self.field_map_options.criteria
            and self.facts.axis
            and run.facts.axis
            and self.facts.axis != run.facts.axis
        ):
            return False
        shared_paths = {placed.path for placed in self.images} & {placed.path for placed in run.images}
        has_other_direction = bool(run.facts.direction) and run.facts.direction not in self.directions
        return self.is_complete or (has_other_direction and not shared_paths)

    def is_of_other_dicom_study(self, run: Run) -> bool:
        """Return whether a run is of another DICOM study: the subject may have left the scanner.

        The result is False if the run is known to have the same shim.
        """
        differs = (
            bool(self.facts.study_uid) and bool(run.facts.study_uid) and self.facts.study_uid != run.facts.study_uid
        )
        return differs and (self.shim is None or self.shim != run.shim)

    def geometry_similarity(self, run: Run) -> tuple[int, ...]:
        """Return how similar orientation, field of view and matrix are: for each 1 (same), 0 (not known) or -1 (different)."""
        pairs = zip(self.facts.geometry, run.facts.geometry, strict=True)
        return tuple(0 if a is None or b is None else 1 if a == b else -1 for a, b in pairs)

    def largest_gap(self, run: Run) -> float:
        """Return the seconds between a run and the farthest scan of the field map; infinite without times."""
        interval = run.facts.interval
        times = [time for image in self.images if (time := acquisition_interval(image.image))]
        return max(map(interval.gap, times), default=float("inf")) if interval else float("inf")


def runs_of(images: Iterable[PlacedImage]) -> list[Run]:
    """Return the runs that field maps can correct, in the order of the images."""
    groups: dict[str, list[PlacedImage]] = defaultdict(list)
    for image in images:
        name = ImagePath.of(image.path)
        if name.suffix in _CORRECTABLE.get(name.datatype, ()):
            kind = name.suffix if name.suffix == "m0scan" else ""
            groups[name.group_key(*_ENTITIES_WITHIN_RUN) + kind].append(image)
    return [Run(key, tuple(members), _facts_of_run(members)) for key, members in groups.items()]


def _facts_of_run(images: Sequence[PlacedImage]) -> ScanFacts:
    """Return the facts of a run. Its single-band references, which are scanned before it, count only if it has no other images."""
    main = [image for image in images if ImagePath.of(image.path).suffix != "sbref"]
    return _facts(main or images)


def _estimation_sort_key(placed: PlacedImage) -> tuple[bool, bool, int, str]:
    name = ImagePath.of(placed.path)
    is_phase = name.entities.get("part", "mag") != "mag"
    return (is_phase, name.suffix != "sbref", int(name.entities.get("echo", "1")), placed.path)


def field_maps(images: Sequence[PlacedImage]) -> list[FieldMap]:
    """Return the field maps of a session, the earliest first, with their identifiers.

    An image outside of `fmap` is a PEPOLAR scan if its rule has `serves`.
    """
    pepolar: dict[str, list[PlacedImage]] = defaultdict(list)
    others: dict[str, list[PlacedImage]] = defaultdict(list)
    for image in images:
        name = ImagePath.of(image.path)
        in_fmap = name.datatype == "fmap"
        if in_fmap and name.suffix in (*_PHASE, *_DIRECT, *_MAGNITUDE):
            others[name.group_key()].append(image)
        elif (in_fmap and name.suffix in _PEPOLAR) or (not in_fmap and image.rule.field_map_options is not None):
            pepolar[f"{name.group_key('dir', 'run', *_ENTITIES_WITHIN_RUN)}_{name.suffix}"].append(image)
    groups: list[tuple[FieldMapKind | None, list[PlacedImage]]] = [
        (FieldMapKind.PEPOLAR, group) for members in pepolar.values() for group in _pepolar_groups(members)
    ]
    groups += [(_kind(members), members) for members in others.values()]
    return _with_identifiers(groups)


def _kind(images: Iterable[PlacedImage]) -> FieldMapKind | None:
    suffixes = {ImagePath.of(image.path).suffix for image in images}
    if suffixes & set(_PHASE):
        return FieldMapKind.PHASE
    return FieldMapKind.DIRECT if suffixes & set(_DIRECT) else None


PepolarScan = tuple[ScanFacts, list[PlacedImage]]
"""One acquisition of one phase encoding direction: its facts and images."""


def _pepolar_groups(images: Sequence[PlacedImage]) -> list[list[PlacedImage]]:
    """Return the images of each estimate: of two scans of different directions, or of one scan that has no partner.

    Partners have the same shim, geometry and phase encoding axis, and the same study if the shim is not known. Scans of exactly
    two directions are paired: in order of time if there are as many of each, else by the shortest gap in time, since one was
    probably repeated.
    """
    scans: dict[str, list[PlacedImage]] = defaultdict(list)
    for image in images:
        scans[ImagePath.of(image.path).group_key(*_ENTITIES_WITHIN_RUN)].append(image)
    similar: dict[object, dict[str, list[PepolarScan]]] = defaultdict(lambda: defaultdict(list))
    for members in scans.values():
        facts = _facts(members)
        study_uid = facts.study_uid if facts.shim is None else ""
        similar[facts.shim, facts.geometry, facts.axis, study_uid][facts.direction].append((facts, members))
    return [group for directions in similar.values() for group in _pairs_and_single_scans([*directions.values()])]


def _pairs_and_single_scans(directions: list[list[PepolarScan]]) -> list[list[PlacedImage]]:
    """Return the images of each pair and of each unpaired scan; `directions` are the scans of each direction."""
    if len(directions) != 2:  # noqa: PLR2004 - a pair
        return [members for scans in directions for _, members in scans]
    first, second = (sorted(scans, key=_time_sort_key) for scans in directions)
    pairs = list(zip(first, second, strict=True)) if len(first) == len(second) else _nearest_pairs(first, second)
    used_ids = [id(scan) for pair in pairs for scan in pair]
    unpaired = [scan[1] for scan in (*first, *second) if id(scan) not in used_ids]
    return [*([*a[1], *b[1]] for a, b in pairs), *unpaired]


def _nearest_pairs(first: list[PepolarScan], second: list[PepolarScan]) -> list[tuple[PepolarScan, PepolarScan]]:
    """Return pairs of scans, those with the shortest gap first; no scan is in two pairs."""
    pairs: list[tuple[PepolarScan, PepolarScan]] = []
    gaps = [(_scan_gap(a, b), k, n) for k, a in enumerate(first) for n, b in enumerate(second)]
    used_indexes: tuple[set[int], set[int]] = (set(), set())
    for _gap, i, j in sorted(gaps):
        if i not in used_indexes[0] and j not in used_indexes[1]:
            pairs.append((first[i], second[j]))
            used_indexes[0].add(i)
            used_indexes[1].add(j)
    return pairs


def _scan_gap(first: PepolarScan, second: PepolarScan) -> float:
    times = first[0].interval, second[0].interval
    return times[0].gap(times[1]) if times[0] and times[1] else float("inf")


def _time_sort_key(scan: PepolarScan) -> tuple[bool, object, str]:
    interval = scan[0].interval
    return (interval is None, interval.begin if interval else 0, scan[1][0].path)


def _with_identifiers(groups: Iterable[tuple[FieldMapKind | None, list[PlacedImage]]]) -> list[FieldMap]:
    """Return the field maps in order of time, each with an identifier that no other field map of the subject has."""
    ordered = sorted(
        ((kind, images, _facts(images)) for kind, images in groups), key=lambda each: _time_sort_key((each[2], each[1]))
    )
    counters: dict[str, Callable[[], int]] = defaultdict(lambda: count(1).__next__)
    maps = []
    for order, (kind, images, facts) in enumerate(ordered):
        start = _identifier_start(images[0].path, kind)
        maps.append(
            FieldMap(
                kind,
                tuple(images),
                facts,
                frozenset(_facts([each]).direction for each in images) - {""},
                next(
                    (each.rule.field_map_options for each in images if each.rule.field_map_options),
                    DEFAULT_FIELD_MAP_OPTIONS,
                ),
                f"{start}{counters[start]()}",
                order,
            )
        )
    return maps


def _identifier_start(path: str, kind: FieldMapKind | None) -> str:
    entities = ImagePath.of(path).entities
    parts = [f"{name}{entities[name]}" for name in ("ses", "acq") if name in entities]
    return re.sub(r"[^0-9A-Za-z_]", "", "_".join([*parts, kind.value if kind else "magnitude"]))


def _facts(images: Sequence[PlacedImage]) -> ScanFacts:
    """Return the facts of the first image, with the time from the first begin to the last end of all."""
    first = images[0].image
    facts, sidecar = first.series.acquisition, {**first.sidecar, **images[0].rule.sidecar_fields}
    direction = str(sidecar.get("PhaseEncodingDirection") or (facts and facts.phase_encoding_direction) or "")
    axis = direction[:1] or str(sidecar.get("PhaseEncodingAxis") or (facts and facts.phase_encoding_axis) or "")
    label = ImagePath.of(images[0].path).entities.get("dir", "")
    times = [time for image in images if (time := acquisition_interval(image.image))]
    return ScanFacts(
        shim=_rounded_numbers(sidecar.get("ShimSetting")),
        geometry=(
            facts.orientation if facts else None,
            _rounded_numbers(facts.fov_mm if facts else None),
            facts.matrix if facts else None,
        ),
        direction=direction or label,
        axis=axis,
        study_uid=str(first.series.header.get("StudyInstanceUID") or ""),
        interval=Interval(min(t.begin for t in times), max(t.end for t in times)) if times else None,
    )


def _rounded_numbers(value: Any) -> tuple[float, ...] | None:
    if not isinstance(value, list | tuple) or not all(map(is_plausible_number, value)):
        return None
    return tuple(round(float(item), _DECIMALS) for item in value) or None
