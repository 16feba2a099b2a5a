"""Groups series into acquisitions: DICOM by acquisition time and StudyInstanceUID, PAR/REC by acquisition number."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from qxbatch.bids.images.acquisition_time import add_seconds
from qxbatch.bids.images.facts import ImageFacts
from qxbatch.bids.rules.matching import Match
from qxbatch.bids.schema.target import Target
from qxbatch.convert.header_values import text

_SAME_START = timedelta(seconds=0.6)
"""Series of one DICOM study whose starts differ by at most this are of one acquisition, even if their times do not overlap.

The start of one of them may be rounded to seconds, which is a difference of up to 0.5 s; the starts of echoes can differ, too.
"""
_TE_STEP, _TI_STEP, _FLIP_STEP = 0.05, 0.5, 0.05
"""Echo times (ms), inversion times (ms) and flip angles (degrees) are rounded to multiples of these before they are compared.

So values that a sidecar or header has rounded normally count as equal.
"""


@dataclass(frozen=True, eq=False)
class MatchedImage:
    """An image with the rule that gives it a target. The target lacks the entities that the export adds."""

    facts: ImageFacts
    match: Match
    target: Target

    @property
    def sort_key(self) -> tuple[bool, str, int, int]:
        """Return the key that sorts images by the time of their acquisition.

        Images without a time, or with a time that `start_of` does not use, are last, in the order of series and images.
        """
        image = self.facts.image
        start = (
            "" if self.facts.is_par or not self.facts.times_distinguish_series else self.facts.acquisition.started or ""
        )
        return not start, start, image.series.n, image.number


@dataclass(eq=False)
class AcquiredImages:
    """The images of one acquisition, or of several acquisitions that are one run; there is at least one image."""

    members: list[MatchedImage] = field(default_factory=list)

    @property
    def sort_key(self) -> tuple[bool, str, int, int]:
        """Return the key that sorts acquisitions by time."""
        return min(member.sort_key for member in self.members)

    @property
    def start(self) -> datetime | None:
        """Return when the acquisition began; None if no time is known or used (`start_of`)."""
        starts = [start for member in self.members if (start := start_of(member.facts)) is not None]
        return min(starts, default=None)

    @property
    def volumes(self) -> int:
        """Return the number of volumes of its longest image."""
        return max(member.facts.volumes for member in self.members)

    @property
    def echoes(self) -> set[int | None]:
        """Return the known echo times of its images, as multiples of _TE_STEP."""
        return {_step_count(member.facts.te_ms, _TE_STEP) for member in self.members} - {None}

    @property
    def distinctions(self) -> set[tuple[object, ...]]:
        """Return the `distinction` of each of its images."""
        return {distinction(member) for member in self.members}


Copy = list[MatchedImage]
"""The images of one series with the same `distinction`: one image, or several if the converter split the series into parts."""


def distinction(matched: MatchedImage) -> tuple[object, ...]:
    """Return what distinguishes an image from the others of its acquisition."""
    facts = matched.facts
    return (
        matched.target.suffix,
        facts.kind,
        _step_count(facts.te_ms, _TE_STEP),
        _step_count(facts.ti_ms, _TI_STEP),
        _step_count(facts.flip_angle_deg, _FLIP_STEP),
        facts.mt,
        matched.target.entities,
    )


def acquisitions(matched_images: Iterable[MatchedImage]) -> list[AcquiredImages]:
    """Return the acquisitions of images, sorted by `sort_key`. Images of one series are of one acquisition."""
    series: dict[int, list[MatchedImage]] = {}
    for matched in sorted(matched_images, key=lambda matched: matched.sort_key):
        series.setdefault(matched.facts.image.series.n, []).append(matched)
    facts_of_groups: list[list[ImageFacts]] = []
    groups: list[AcquiredImages] = []
    for members in series.values():
        facts = members[0].facts
        k = next(
            (
                k
                for k, group in enumerate(facts_of_groups)
                if any(_are_one_acquisition(facts, other) for other in group)
            ),
            len(facts_of_groups),
        )
        if k == len(facts_of_groups):
            facts_of_groups.append([])
            groups.append(AcquiredImages())
        facts_of_groups[k].append(facts)
        groups[k].members += members
    return sorted(groups, key=lambda acquisition: acquisition.sort_key)


def acquisition_sets(in_order: Sequence[AcquiredImages], max_echoes: int = 0) -> list[AcquiredImages]:
    """Return the sets that successive acquisitions form. Images of different acquisitions of a set differ in `distinction`.

    Images that differ in flip angle, inversion or magnetization transfer are scanned one after the other and form one set, and
    so do the two echoes of a field map. Acquisitions are not joined into a set of more than `max_echoes` echo times; 0: no limit.
    """
    sets: list[AcquiredImages] = []
    for acquisition in in_order:
        echoes = sets[-1].echoes | acquisition.echoes if sets else set()
        has_room = not max_echoes or len(echoes) <= max_echoes
        if sets and has_room and not (sets[-1].distinctions & acquisition.distinctions):
            sets[-1].members.extend(acquisition.members)
        else:
            sets.append(AcquiredImages([*acquisition.members]))
    return sets


def groups_of_copies(acquisition: AcquiredImages) -> list[list[Copy]]:
    """Return the copies of each scan that was sent or reconstructed more than once: series that nothing distinguishes.

    Images of one series are not copies of each other: if nothing distinguishes them, they are parts of the series.
    """
    by_distinction: dict[tuple[object, ...], dict[int, Copy]] = {}
    for member in acquisition.members:
        copies = by_distinction.setdefault(distinction(member), {})
        copies.setdefault(member.facts.image.series.n, []).append(member)
    return [[*copies.values()] for copies in by_distinction.values() if len(copies) > 1]


def start_of(facts: ImageFacts) -> datetime | None:
    """Return when an image's series began; None if this is not known.

    Also None for a PAR/REC, whose time is that of the examination, and if the times of the session do not distinguish its series.
    """
    started = facts.acquisition.started
    return None if started is None or facts.is_par or not facts.times_distinguish_series else _parse_time(started)


def _end_of(facts: ImageFacts) -> datetime | None:
    start, ended = start_of(facts), facts.acquisition.ended
    if start is None:
        return None
    if ended is not None:
        return _parse_time(ended)
    return add_seconds(start, facts.acquisition.duration_s or 0.0)


def _are_one_acquisition(first: ImageFacts, second: ImageFacts) -> bool:
    """Return whether two series are of one acquisition.

    PAR/REC are, if they have the same acquisition number. DICOM series are, if their times overlap, or their starts differ by at
    most _SAME_START; those of different studies, if their starts are equal.
    """
    if first.is_par or second.is_par:
        number = par_acquisition_number(first)
        return number is not None and number == par_acquisition_number(second)
    starts, ends = (start_of(first), start_of(second)), (_end_of(first), _end_of(second))
    if starts[0] is None or starts[1] is None or ends[0] is None or ends[1] is None:
        return False
    if _study_uid(first) != _study_uid(second):  # a study that was sent again with new UIDs has the same times
        return starts[0] == starts[1]
    if abs(starts[0] - starts[1]) <= _SAME_START:
        return True
    return max(starts[0], starts[1]) < min(ends[0], ends[1])


def _study_uid(facts: ImageFacts) -> str:
    return text(facts.image.series.header, "StudyInstanceUID")


def par_acquisition_number(facts: ImageFacts) -> int | None:
    """Return the acquisition number of a PAR, whose SeriesNumber is 100 x acquisition + reconstruction.

    None if the PAR has no number, and for DICOM.
    """
    return facts.series_number // 100 if facts.is_par and facts.series_number is not None else None


@lru_cache(1 << 12)
def _parse_time(value: str) -> datetime | None:
    try:
        return datetime.fromisoformat(value).replace(tzinfo=None)
    except ValueError:
        return None


def _step_count(value: float | None, step: float) -> int | None:
    return None if value is None else round(value / step)
