"""The typed parts of a session's summary, and their JSON values (docs/summary.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from qxbatch.acquisition import Acquisition, SeriesVerdict
from qxbatch.model import SeriesKind, State, Value
from qxbatch.problems import Code, Problem, Severity
from qxbatch.session.acquisition import acquisition_value, read_acquisition
from qxbatch.session.json_fields import FieldError, Fields

SizeAndHash = tuple[int, str]
"""Size in bytes and SHA-256 of a file."""


class SessionIdentity(NamedTuple):
    """The identity of a session."""

    id: str
    subject: str
    session: str | None = None
    """The session's part of the id, such as `baseline` in `OP101_baseline`; None without one."""
    patient: str = ""
    """The patient id; empty if it is not known, or if the session id replaces it."""
    deidentified: bool = False
    """Whether the session id replaces the patient id and name in names, logs and reports."""


class Split(NamedTuple):
    """The sessions that `--on-mixed=split` made of one packet."""

    source: str
    """The session id that the packet would have had."""
    sessions: Mapping[str, str]
    """Maps each session id to a PatientID, or to a name if there is none; to an empty text if the session id replaces them, or if
    the patient is unknown."""


class PacketSummary(NamedTuple):
    """A packet of the session."""

    name: str
    files: int
    """Number of files: 1, or for a folder those in it."""
    size: int
    """Bytes."""
    sha256: str = ""
    """Of the packet's file; empty for a folder, or if it was not computed."""

    def is_same(self, other: "PacketSummary") -> bool:
        """Return whether both describe the same packet; hashes are compared only if both have one."""
        equal = (self.name, self.files, self.size) == (other.name, other.files, other.size)
        return equal and (self.sha256 == other.sha256 or not (self.sha256 and other.sha256))


@dataclass(frozen=True)
class SeriesSummary:
    """A series and the result of its conversion."""

    n: int
    """Ten times the SeriesNumber, or another number if that is in use or unknown (docs/numbers.md)."""
    kind: SeriesKind
    files: int
    size: int
    """Bytes."""
    header: Mapping[str, Value]
    """DICOM keyword to value; no keyword names the patient."""
    state: State
    tool: str
    """Name and version of the converter; empty if none was run."""
    images: tuple[int, ...] = ()
    """Numbers of its images."""
    problems: tuple[Problem, ...] = ()
    series_uids: tuple[str, ...] = ()
    """Of a joined series: the SeriesInstanceUIDs of its parts, in their order."""
    study_uids: tuple[str, ...] = ()
    """Of a joined series with parts of several studies: their StudyInstanceUIDs."""
    verdict: SeriesVerdict | None = None
    """Complete, incomplete, repeated or not evaluable (a localizer, for example); None if none of its headers was read."""
    acquisition: Acquisition | None = None
    """The facts of the acquisition that its headers state; None if there are none."""


class ImageStatistics(NamedTuple):
    """Quality measures of a time series (docs/statistics.md)."""

    tsnr: float | None
    """Median temporal SNR within the mask; None if no voxel varies."""
    tsnr_limit: float | None
    """Temporal SNR of the brightest colour of the picture; None if no voxel varies."""
    dropped_volumes: int
    """Number of volumes at the beginning that are not in the steady state."""
    global_signal: tuple[float, ...]
    """For each volume, the mean of the voxels within the mask."""


class ImageSummary(NamedTuple):
    """A NIfTI image and the files beside it."""

    number: int
    series: int
    """The n of its series."""
    k: int
    of: int
    """The image is number k of the `of` images of its series."""
    name: str
    """As in session.txt."""
    info: Mapping[str, str]
    """Field to value, as in session.txt."""
    shape: tuple[int, ...]
    """Voxels along each axis; empty if unknown."""
    files: tuple[str, ...]
    """Relative to the session folder, the image first."""
    sums: Mapping[str, SizeAndHash] | None = None
    """Maps files to size and SHA-256 as written. None if the summary has none; a damaged entry is left out."""
    statistics: ImageStatistics | None = None
    """Of a time series; None for another image."""


@dataclass(frozen=True)
class LedgerCounts:
    """The numbers of rows in the ledger."""

    rows: int
    fates: Mapping[str, int] = field(default_factory=dict)
    """Numbers of rows by fate."""
    left_out_counts: Mapping[str, int] = field(default_factory=dict)
    """Numbers of members that may contain images and were not imported, or are cut short, by cause (docs/summary.md)."""


def session_value(session: SessionIdentity) -> dict[str, Any]:
    """Return the JSON value of the identity, where `deidentified` has the key `concealed`."""
    value = session._asdict()
    value["concealed"] = value.pop("deidentified")
    return value


def ledger_counts_value(counts: LedgerCounts) -> dict[str, Any]:
    """Return the JSON value of the counts; `left_out` only if members were left out."""
    value: dict[str, Any] = {"rows": counts.rows, "fates": dict(counts.fates)}
    return {**value, "left_out": dict(counts.left_out_counts)} if counts.left_out_counts else value


def packet_value(packet: PacketSummary) -> dict[str, Any]:
    """Return the JSON value of a packet."""
    return packet._asdict()


def series_value(series: SeriesSummary) -> dict[str, Any]:
    """Return the JSON value of a series, without the optional fields it does not have."""
    optional: dict[str, Any] = {
        "series_uids": list(series.series_uids),
        "study_uids": list(series.study_uids),
        "verdict": series.verdict,
        "acquisition": acquisition_value(series.acquisition) if series.acquisition else None,
    }
    return {
        **{key: value for key, value in optional.items() if value},
        "n": series.n,
        "kind": series.kind,
        "files": series.files,
        "size": series.size,
        "header": dict(series.header),
        "state": series.state,
        "tool": series.tool,
        "images": list(series.images),
        "problems": [problem_value(problem) for problem in series.problems],
    }


def image_value(image: ImageSummary) -> dict[str, Any]:
    """Return the JSON value of an image."""
    sums = {file: {"size": size, "sha256": digest} for file, (size, digest) in (image.sums or {}).items()}
    return {
        "number": image.number,
        "series": image.series,
        "k": image.k,
        "of": image.of,
        "name": image.name,
        "info": dict(image.info),
        "shape": list(image.shape),
        "files": list(image.files),
        **({} if image.sums is None else {"sums": sums}),
        **({} if image.statistics is None else {"statistics": _statistics_value(image.statistics)}),
    }


def _statistics_value(statistics: ImageStatistics) -> dict[str, Any]:
    values = {key: value for key, value in statistics._asdict().items() if value is not None}
    return {**values, "global_signal": list(statistics.global_signal)}


def problem_value(problem: Problem) -> dict[str, str]:
    """Return the JSON value of a problem; `command` only if there is one."""
    value = {
        "code": problem.code,
        "subject": problem.subject,
        "message": problem.message,
        "hint": problem.hint,
        "severity": problem.severity,
    }
    return {**value, "command": problem.command} if problem.command else value


def read_session_identity(fields: Fields) -> SessionIdentity:
    """Return the identity. Raises FieldError."""
    return SessionIdentity(
        fields.text("id"),
        fields.text("subject"),
        fields.optional_text("session"),
        fields.text("patient", ""),
        fields.flag("concealed", False),
    )


def read_split(fields: Fields) -> Split:
    """Return the sessions that were split from one packet. Raises FieldError."""
    return Split(fields.text("from"), fields.texts_by_name("sessions"))


def read_packet(fields: Fields) -> PacketSummary:
    """Return a packet. Raises FieldError."""
    return PacketSummary(
        fields.text("name"), fields.integer("files"), fields.integer("size"), fields.text("sha256", "")
    )


def read_series(fields: Fields) -> SeriesSummary:
    """Return a series. Raises FieldError."""
    header = fields.json_object("header")
    return SeriesSummary(
        n=fields.integer("n"),
        kind=fields.member("kind", SeriesKind),
        files=fields.integer("files"),
        size=fields.integer("size"),
        header={key: _header_value(header, key) for key in header.keys()},  # noqa: SIM118 - no mapping
        state=fields.member("state", State),
        tool=fields.text("tool", ""),
        images=fields.integers("images"),
        problems=tuple(map(read_problem, fields.json_objects("problems"))),
        series_uids=fields.texts("series_uids"),
        study_uids=fields.texts("study_uids"),
        verdict=fields.member("verdict", SeriesVerdict) if "verdict" in fields else None,
        acquisition=read_acquisition(fields.json_object("acquisition")) if "acquisition" in fields else None,
    )


def read_image(fields: Fields) -> ImageSummary:
    """Return an image. Raises FieldError; a damaged entry of `sums` is left out."""
    files = fields.texts("files")
    return ImageSummary(
        number=fields.integer("number"),
        series=fields.integer("series"),
        k=fields.integer("k"),
        of=fields.integer("of"),
        name=fields.text("name"),
        info=fields.texts_by_name("info"),
        shape=fields.integers("shape"),
        files=files,
        sums=_sums(fields.value("sums"), files) if "sums" in fields else None,
        statistics=_read_statistics(fields.json_object("statistics")) if "statistics" in fields else None,
    )


def _read_statistics(fields: Fields) -> ImageStatistics:
    return ImageStatistics(
        fields.number("tsnr") if "tsnr" in fields else None,
        fields.number("tsnr_limit") if "tsnr_limit" in fields else None,
        fields.integer("dropped_volumes"),
        fields.numbers("global_signal"),
    )


def read_problem(fields: Fields) -> Problem:
    """Return a problem. Raises FieldError."""
    return Problem(
        fields.member("code", Code),
        fields.text("subject"),
        fields.text("message"),
        fields.text("hint", ""),
        fields.member("severity", Severity, Severity.ERROR),
        fields.text("command", ""),
    )


def read_ledger_counts(fields: Fields) -> LedgerCounts:
    """Return the counts of the ledger's rows. Raises FieldError."""
    return LedgerCounts(
        fields.integer("rows"), _counts(fields.json_object("fates")), _counts(fields.json_object("left_out"))
    )


def _counts(fields: Fields) -> dict[str, int]:
    return {key: fields.integer(key) for key in fields.keys()}  # noqa: SIM118 - no mapping


def _header_value(header: Fields, key: str) -> Value:
    """Return a value of a header: a text, a number, a list of these, or None. Raises FieldError."""
    value = header.value(key)
    for item in value if isinstance(value, list) else [] if value is None else [value]:
        if isinstance(item, int):
            header.integer_value(item, key)
        elif not isinstance(item, str | float):
            raise FieldError(f"{header.path(key)} is neither a text nor a number")
    return value  # type: ignore[return-value] # just tested


def _sums(value: object, files: tuple[str, ...]) -> dict[str, SizeAndHash]:
    table = value if isinstance(value, dict) else {}
    entries = ((file, table.get(file)) for file in files)
    pairs = ((file, entry.get("size"), entry.get("sha256")) for file, entry in entries if isinstance(entry, dict))
    return {file: (size, text) for file, size, text in pairs if isinstance(size, int) and isinstance(text, str)}
