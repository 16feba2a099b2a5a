"""The types of a BIDS export: what is matched, what was decided, and what is planned."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from qxbatch.session.folder import SessionFolder
from qxbatch.session.summary_parts import ImageSummary, SeriesSummary


@dataclass(frozen=True)
class ExportImage:
    """One image of a session, and what rules are matched against."""

    session: SessionFolder
    series: SeriesSummary
    image: ImageSummary
    sidecar: Mapping[str, Any]
    """The image's JSON file; empty where there is none."""

    @property
    def number(self) -> int:
        """Return the image's number in the session."""
        return self.image.number


class Serves(NamedTuple):
    """How the images that a field map corrects are found, and how the link is written."""

    by: tuple[str, ...]
    """`shim`, `geometry`, `nearest-time`, applied in this order."""
    write: tuple[str, ...]
    """`B0FieldIdentifier`, `IntendedFor`."""


@dataclass(frozen=True)
class Rule:
    """One rule of the rule file."""

    line: int
    """Of the rule file, from 1."""
    match: Mapping[str, Any]
    target: str = ""
    """`func/task-rest_bold`; empty where the series is ignored."""
    ignore: str = ""
    """Why the series is ignored; empty where it is exported."""
    repeat: str = "all"
    serves: Serves | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    """`set`: sidecar fields that no header has."""
    context: tuple[str, ...] = ()
    """`context`: the volume types of an ASL series, for aslcontext.tsv."""


class Placed(NamedTuple):
    """An image and its place in the data set."""

    image: ExportImage
    path: str
    """Relative to the data set, with `/`, without extension: `sub-01/ses-a/func/sub-01_ses-a_task-rest_run-1_bold`."""
    rule: Rule
    reason: str
    """One sentence: why this rule, and where each added entity comes from."""


class Ignored(NamedTuple):
    """An image that is not exported."""

    image: ExportImage
    rule: Rule | None
    reason: str


class Undecided(NamedTuple):
    """A series that no rule decides, or whose place is not valid."""

    series: SeriesSummary
    reason: str
    hint: str
    """What to write into the rule file."""


@dataclass(frozen=True)
class SessionPlan:
    """What is exported of one session. Where `undecided` is not empty nothing of it is written."""

    session: SessionFolder
    subject: str
    """BIDS label, without `sub-`."""
    label: str
    """BIDS label of the session, without `ses-`; empty where the data set has no session level for it."""
    placed: tuple[Placed, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    undecided: tuple[Undecided, ...] = ()
