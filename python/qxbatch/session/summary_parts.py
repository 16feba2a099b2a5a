"""The typed parts of a session's summary, and their JSON values (docs/summary.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from qxbatch.acquisition import Acquisition, SeriesVerdict
from qxbatch.model import SeriesKind, State, Value
from qxbatch.problems import Code, Problem, Severity
from qxbatch.session.acquisition import acquisition_value, read_acquisition
from qxbatch.session.json_fields import FieldError, Fields

Sum = tuple[int, str]
"""Size in bytes and SHA-256 of a file."""


class SessionIdentity(NamedTuple):
    """Who a session is of."""

    id: str
    subject: str
    session: str | None = None
    patient: str = ""
    """The patient id; empty where the session id replaces it."""
    concealed: bool = False
    """The session id replaces the patient id and name in names, logs and reports."""


class Split(NamedTuple):
    """The sessions that `--on-mixed=split` made of one packet."""

    source: str
    """The session id that the packet would have had."""
    sessions: Mapping[str, str]
    """Session id to PatientID, or to the name where there is none; empty where the session id replaces them."""


class PacketSummary(NamedTuple):
    """A packet of the session."""

    name: str
    files: int
    size: int
    """Bytes."""
    sha256: str = ""
    """Of its file as it came; empty for a folder, and where it was not computed."""

    def is_same(self, other: "PacketSummary") -> bool:
        """Return whether both are of one packet; former versions did not write the hash."""
        same = (self.name, self.files, self.size) == (other.name, other.files, other.size)
        return same and (self.sha256 == other.sha256 or not (self.sha256 and other.sha256))


@dataclass(frozen=True)
class SeriesSummary:
    """A series and what its conversion gave."""

    n: int
    """Ten times the series number, or the free number it got (docs/numbers.md)."""
    kind: SeriesKind
    files: int
    size: int
    """Bytes."""
    header: Mapping[str, Value]
    """DICOM keyword to value; no keyword names the patient."""
    state: State
    tool: str
    """Name and version of the converter."""
    images: tuple[int, ...] = ()
    """Numbers of its images."""
    problems: tuple[Problem, ...] = ()
    series_uids: tuple[str, ...] = ()
    """Of a joined series: the SeriesInstanceUIDs of its parts, the first part first."""
    study_uids: tuple[str, ...] = ()
    """Of a joined series with parts of several studies."""
    verdict: SeriesVerdict | None = None
    acquisition: Acquisition | None = None


class ImageStatistics(NamedTuple):
    """What a time series shows of its quality (docs/statistics.md)."""

    tsnr: float | None
    """Median temporal SNR within the mask; None where no voxel varies."""
    tsnr_limit: float | None
    """What the brightest colour of the picture stands for."""
    dropped_volumes: int
    """Volumes at the beginning that are not in the steady state."""
    global_signal: tuple[float, ...]
    """Mean within the mask of each volume."""


class ImageSummary(NamedTuple):
    """A NIfTI image and the files beside it."""

    number: int
    series: int
    """The n of its series."""
    k: int
    of: int
    """It is image k of `of` images of its series."""
    name: str
    """As in session.txt."""
    info: Mapping[str, str]
    """Field to value, as in session.txt."""
    shape: tuple[int, ...]
    """Voxels along each axis; empty where it is not known."""
    files: tuple[str, ...]
    """Relative to the session folder, the image first."""
    sums: Mapping[str, Sum] | None = None
    """File to size and SHA-256 as written. None where the summary has none; a damaged entry is left out."""
    statistics: ImageStatistics | None = None
    """Of a time series."""


@dataclass(frozen=True)
class LedgerCounts:
    """How many rows the ledger has."""

    rows: int
    fates: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Members that may contain images and were not imported, by cause (docs/summary.md)."""


def session_value(session: SessionIdentity) -> dict[str, Any]:
    """Return the JSON value of the identity."""
    return session._asdict()


def ledger_counts_value(counts: LedgerCounts) -> dict[str, Any]:
    """Return the JSON value of the counts; `left_out` only where something was left out."""
    value: dict[str, Any] = {"rows": counts.rows, "fates": dict(counts.fates)}
    return {**value, "left_out": dict(counts.left_out)} if counts.left_out else value


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
    known = {key: value for key, value in statistics._asdict().items() if value is not None}
    return {**known, "global_signal": list(statistics.global_signal)}


def problem_value(problem: Problem) -> dict[str, str]:
    """Return the JSON value of a problem; `command` only where there is one."""
    return {name: value for name, value in vars(problem).items() if value or name != "command"}


def read_session(given: Fields) -> SessionIdentity:
    """Return the identity. Raises FieldError."""
    return SessionIdentity(
        given.text("id"),
        given.text("subject"),
        given.optional_text("session"),
        given.text("patient", ""),
        given.flag("concealed", False),
    )


def read_split(given: Fields) -> Split:
    """Return the sessions that were split from one packet. Raises FieldError."""
    return Split(given.text("from"), given.text_table("sessions"))


def read_packet(given: Fields) -> PacketSummary:
    """Return a packet. Raises FieldError."""
    return PacketSummary(given.text("name"), given.whole("files"), given.whole("size"), given.text("sha256", ""))


def read_series(given: Fields) -> SeriesSummary:
    """Return a series. Raises FieldError."""
    header = given.table("header")
    return SeriesSummary(
        n=given.whole("n"),
        kind=given.member("kind", SeriesKind),
        files=given.whole("files"),
        size=given.whole("size"),
        header={key: _header_value(header, key) for key in header.keys()},  # noqa: SIM118 - no mapping
        state=given.member("state", State),
        tool=given.text("tool", ""),
        images=given.wholes("images"),
        problems=tuple(map(read_problem, given.tables("problems"))),
        series_uids=given.texts("series_uids"),
        study_uids=given.texts("study_uids"),
        verdict=given.member("verdict", SeriesVerdict) if "verdict" in given else None,
        acquisition=read_acquisition(given.table("acquisition")) if "acquisition" in given else None,
    )


def read_image(given: Fields) -> ImageSummary:
    """Return an image. Raises FieldError; a damaged entry of `sums` is left out."""
    files = given.texts("files")
    return ImageSummary(
        number=given.whole("number"),
        series=given.whole("series"),
        k=given.whole("k"),
        of=given.whole("of"),
        name=given.text("name"),
        info=given.text_table("info"),
        shape=given.wholes("shape"),
        files=files,
        sums=_sums(given.value("sums"), files) if "sums" in given else None,
        statistics=_read_statistics(given.table("statistics")) if "statistics" in given else None,
    )


def _read_statistics(given: Fields) -> ImageStatistics:
    return ImageStatistics(
        given.number("tsnr") if "tsnr" in given else None,
        given.number("tsnr_limit") if "tsnr_limit" in given else None,
        given.whole("dropped_volumes"),
        given.numbers("global_signal"),
    )


def read_problem(given: Fields) -> Problem:
    """Return a problem. Raises FieldError."""
    return Problem(
        given.member("code", Code),
        given.text("subject"),
        given.text("message"),
        given.text("hint", ""),
        given.member("severity", Severity, Severity.ERROR),
        given.text("command", ""),
    )


def read_ledger_counts(given: Fields) -> LedgerCounts:
    """Return the counts of the ledger's rows. Raises FieldError."""
    return LedgerCounts(given.whole("rows"), _counts(given.table("fates")), _counts(given.table("left_out")))


def _counts(given: Fields) -> dict[str, int]:
    return {key: given.whole(key) for key in given.keys()}  # noqa: SIM118 - no mapping


def _header_value(header: Fields, key: str) -> Value:
    found = header.value(key)
    if isinstance(found, str | int | float):
        return found
    items = found if isinstance(found, list) else [found]
    if not all(item is None or isinstance(item, str | int | float) for item in items):
        raise FieldError(f"{header.place(key)} is neither a text nor a number")
    return found  # type: ignore[return-value] # just tested


def _sums(given: object, files: tuple[str, ...]) -> dict[str, Sum]:
    table = given if isinstance(given, dict) else {}
    entries = ((file, table.get(file)) for file in files)
    pairs = ((file, entry.get("size"), entry.get("sha256")) for file, entry in entries if isinstance(entry, dict))
    return {file: (size, text) for file, size, text in pairs if isinstance(size, int) and isinstance(text, str)}
