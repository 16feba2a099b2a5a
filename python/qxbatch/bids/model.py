"""The types of a BIDS export: images, rules and plans."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from qxbatch.session.folder import SessionFolder
from qxbatch.session.summary_parts import ImageSummary, SeriesSummary


@dataclass(frozen=True)
class ExportImage:
    """One image of a session, with the data that rules match."""

    session: SessionFolder
    series: SeriesSummary
    """As in the summary, except that its times may be moved to the next day (`continue_after_midnight`)."""
    summary: ImageSummary
    sidecar: Mapping[str, Any]
    """The content of the image's JSON file. If TR, TE, TI or flip angle is missing there, it is added from the headers."""

    @property
    def number(self) -> int:
        """Return the image's number in the session."""
        return self.summary.number


class FieldMapOptions(NamedTuple):
    """`serves` of a rule: how the export selects the images that a field map corrects, and which sidecar fields link them."""

    criteria: tuple[str, ...]
    """`by`: some of `shim`, `geometry`, `nearest-time`, in the order in which they are applied."""
    fields: tuple[str, ...]
    """`write`: `B0FieldIdentifier`, `IntendedFor` or both."""


Captures = Mapping[str, str]
"""Text that braces or named groups of a pattern captured, by name."""


class Condition(NamedTuple):
    """One key of `match`."""

    key: str
    expected: Any
    """The value of the key, as in the rule file."""
    value_of: Callable[[Any], object]
    """Returns the value of an image (ImageFacts) that is compared with `expected`; None if it is not known."""
    accept: Callable[[Any], Captures | None]
    """Returns the captures if it accepts the value of an image, else None."""


@dataclass(frozen=True)
class Rule:
    """One rule of the rule file."""

    line: int
    """Line of the rule file, from 1; 0 for the rule of an image that is exported only because of the table of --plan."""
    match: Mapping[str, Any]
    """Keys and values of `match`, as in the rule file.

    A rule in `[session.ID]` has no `match`: its own key names the series or image. The keys `2` (SeriesNumber), `n70` (the
    series in `dicom/70`) and `2.1` (first image of series 2) become {"number": 2}, {"n": 70} and {"number": 2, "image": 1}.
    """
    target: str = ""
    """`as`, such as `func/task-rest_bold`; empty where the series is ignored."""
    ignore: str = ""
    """Why the series is ignored; empty where it is exported."""
    repeat: str = "all"
    """Which of several runs are exported: `last`, `all`, `longest`, `complete`."""
    copies: str = ""
    """Which copy is exported if one acquisition was sent or reconstructed more than once: `last`, `longest`, `complete`.

    If empty, `repeat` decides; if that is `all`, such copies are an error.
    """
    field_map_options: FieldMapOptions | None = None
    """`serves`, for field maps."""
    sidecar_fields: Mapping[str, Any] = field(default_factory=dict)
    """`set`: sidecar fields, which replace those of the session."""
    context: tuple[str, ...] = ()
    """`context`: the volume types of an ASL series, for aslcontext.tsv."""
    conditions: tuple[Condition, ...] = field(default=(), compare=False)
    """`match`, ready to be compared with images."""
    session: str = ""
    """The id of the only session with this rule (table `[session.ID]`); empty for rules of all sessions."""


class SessionRules(NamedTuple):
    """A table `[session.ID]`: labels and rules of one session."""

    line: int
    subject: str | None = None
    """Label of the subject; None where the table has none."""
    session: str | None = None
    """Label of the session; None where the table has none, empty for no session level."""
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class LabelRules:
    """The table `[labels]`: how the labels of subjects and sessions follow from their names."""

    pattern: str = ""
    """A glob for the session id, with `{subject}` and `{session}`; empty to use the names of the import."""
    subject: str = "{subject}"
    """Template of the subject's label: names of subject and session replace `{subject}` and `{session}`."""
    session: str = "{session}"
    """Template of the session's label, with the same names in braces."""
    subjects: Mapping[str, str] = field(default_factory=dict)
    """Label of the subject, by its name."""
    sessions: Mapping[str, str] = field(default_factory=dict)
    """Label of the session, by its name; empty for no session level."""


@dataclass(frozen=True)
class RuleFile:
    """The content of a rule file, which was read and checked."""

    path: Path
    rules: tuple[Rule, ...]
    """In their order: the first that matches decides."""
    session_tables: Mapping[str, SessionRules] = field(default_factory=dict)
    """The tables `[session.ID]`, by session id."""
    label_rules: LabelRules = field(default_factory=LabelRules)
    description_fields: Mapping[str, Any] = field(default_factory=dict)
    """`[dataset]`: fields of dataset_description.json."""


class PlacedImage(NamedTuple):
    """An image and its path in the data set."""

    image: ExportImage
    path: str
    """Relative to the data set, with `/`, without extension: `sub-01/ses-a/func/sub-01_ses-a_task-rest_run-1_bold`."""
    rule: Rule
    reason: str
    """The rule and the source of each added entity; with a table of --plan, the cell in its column reason."""


class IgnoredItem(NamedTuple):
    """An image or a series without images that is not exported."""

    image: ExportImage | None
    """None for a series without images."""
    rule: Rule | None
    """None for a series without images, and for an image that no rule matches and that the table of --plan ignores."""
    reason: str
    series: SeriesSummary | None = None
    """Set if `image` is None."""


class UndecidedSeries(NamedTuple):
    """A series with an image that is not ignored and has no path.

    `decide` lists a series once for each reason; with a table of --plan, a series is listed once, with the first reason.
    """

    series: SeriesSummary
    reason: str
    """Why an image of it has no path, without a full stop."""
    hint: str
    """What to write into the rule file or the table of --plan."""
    rule_options: Mapping[str, str] = {}
    """Options that decide the series if its rule gets them, such as {"copies": "complete"}; empty if none does."""


@dataclass(frozen=True)
class ExportPlan:
    """The export plan of one session. Nothing of the session is written unless `is_ready`."""

    session: SessionFolder
    subject_label: str
    """BIDS label of the subject, without `sub-`; empty if it has none, which is a problem."""
    session_label: str
    """BIDS label of the session, without `ses-`; empty where the data set has no session level for the session."""
    subject_name: str = ""
    """The text that was reduced to the label of the subject; empty if the rule file contains the label, or with a `problem`."""
    placed_images: tuple[PlacedImage, ...] = ()
    ignored_items: tuple[IgnoredItem, ...] = ()
    undecided_series: tuple[UndecidedSeries, ...] = ()
    problem: str = ""
    """Why no image of the session can be exported, without a full stop; empty if there is no such reason."""
    hint: str = ""
    """What to do about the problem; empty without one."""
    remarks: tuple[str, ...] = ()
    """What the user should check; they do not prevent the export."""

    @property
    def is_ready(self) -> bool:
        """Return whether the session can be exported."""
        return not self.problem and not self.undecided_series
