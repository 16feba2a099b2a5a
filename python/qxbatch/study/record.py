"""One session of a study as in study.json: its row, its problems, and the facts of its series."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from qxbatch.acquisition import SeriesVerdict
from qxbatch.model import State
from qxbatch.problems import Problem, Severity
from qxbatch.protocol.scanned import ScannedSeries, ScannedSession
from qxbatch.session.acquisition import acquisition_value, read_acquisition
from qxbatch.session.dates import calendar_day
from qxbatch.session.folder import SessionFolder, SessionState
from qxbatch.session.json_fields import FieldError, Fields
from qxbatch.session.ledger import Fate
from qxbatch.session.summary import Summary
from qxbatch.session.summary_parts import problem_value, read_problem
from qxbatch.study.columns import COLUMNS, COLUMNS_BEYOND_SUMMARY
from qxbatch.study.comparison import NotCompared, ScannedOrNotCompared, read_scanned_session


class SummaryStamp(NamedTuple):
    """Size in bytes and modification time in ns of a session's summary: it is read again when one of them differs."""

    size: int
    mtime_ns: int


class TsnrPoint(NamedTuple):
    """Temporal SNR of an image."""

    n: int
    """The n of the image's series (docs/numbers.md), not its SeriesNumber."""
    name: str
    """Name of the image's series."""
    tsnr: float


class SessionRecord(NamedTuple):
    """What study.json has about a session."""

    cells: Mapping[str, object]
    """The session's row of study.tsv, by the names of COLUMNS; None for unknown values, and always for COLUMNS_BEYOND_SUMMARY."""
    series_facts: ScannedOrNotCompared
    """The facts of its series, or why they cannot be compared."""
    problems: tuple[Problem, ...] = ()
    tsnr: tuple[TsnrPoint, ...] = ()
    stamp: SummaryStamp | None = None
    """None where the session has no readable summary."""

    @property
    def id(self) -> str:
        """Return the session id."""
        return str(self.cells["session_id"])


def session_record(folder: SessionFolder, stamp: SummaryStamp | None) -> SessionRecord:
    """Return the record of a session from its summary; without a readable summary the session is incomplete."""
    summary = folder.readable_summary
    series_facts = read_scanned_session(folder)
    if summary is None:
        cells: dict[str, object] = dict.fromkeys(COLUMNS)
        return SessionRecord({**cells, "session_id": folder.id, "state": SessionState.INCOMPLETE.value}, series_facts)
    scanner = None
    if isinstance(series_facts, ScannedSession) and series_facts.series:
        scanner = "; ".join(series_facts.scanners) or series_facts.scanner
    return SessionRecord(
        _cells(folder, summary, scanner), series_facts, summary.problems, _tsnr_points(summary, series_facts), stamp
    )


def _cells(folder: SessionFolder, summary: Summary, scanner: str | None) -> dict[str, object]:
    states = Counter(series.state for series in summary.series)
    severities = Counter(problem.severity for problem in summary.problems)
    days = [calendar_day(series.header.get("StudyDate")) for series in summary.series]
    fates = summary.ledger.fates.items()
    return {
        "session_id": folder.id,
        "subject": summary.session.subject,
        "session": summary.session.session,
        "state": folder.state.value,
        "scanned": min((day for day in days if day), default=None),
        "scanner": scanner,
        "series": len(summary.series),
        "converted": states[State.CONVERTED],
        "partial": states[State.PARTIAL],
        "nothing_to_convert": states[State.NOTHING],
        "failed": states[State.FAILED],
        "images": len(summary.images),
        "files": sum(count for fate, count in fates if fate not in (Fate.NODATA, Fate.OPENED)),
        "bytes": sum(series.size for series in summary.series),
        "errors": severities[Severity.ERROR],
        "warnings": severities[Severity.WARNING],
        "differences": None,
        "bids": None,
        "packets": ", ".join(packet.name for packet in summary.packets) or None,
        "qxbatch": summary.qxbatch,
    }


def _tsnr_points(summary: Summary, series_facts: ScannedOrNotCompared) -> tuple[TsnrPoint, ...]:
    names = (
        {series.n: series.name for series in series_facts.series} if isinstance(series_facts, ScannedSession) else {}
    )
    return tuple(
        TsnrPoint(image.series, names[image.series], tsnr)
        for image in summary.images
        if image.series in names and image.statistics is not None and (tsnr := image.statistics.tsnr) is not None
    )


def record_value(record: SessionRecord) -> dict[str, Any]:
    """Return the JSON value of a record; the caller sets the cells of COLUMNS_BEYOND_SUMMARY, which are None."""
    value: dict[str, Any] = {**record.cells, "problems": [problem_value(problem) for problem in record.problems]}
    match record.series_facts:
        case NotCompared(_, problem):
            value["not_compared"] = problem
        case ScannedSession(_, series):
            value["scanned_series"] = [_series_value(scan) for scan in series]
    if record.tsnr:
        value["temporal_snr"] = [point._asdict() for point in record.tsnr]
    if record.stamp is not None:
        value["summary"] = stamp_value(record.stamp)
    return value


def stamp_value(stamp: SummaryStamp) -> dict[str, int]:
    """Return the JSON value of a stamp, where `mtime_ns` has the key `modified`."""
    return {"size": stamp.size, "modified": stamp.mtime_ns}


def read_stamp(fields: Fields) -> SummaryStamp:
    """Read a stamp. Raises FieldError."""
    return SummaryStamp(fields.integer("size"), fields.integer("modified"))


def _series_value(series: ScannedSeries) -> dict[str, Any]:
    facts = {"acquisition": acquisition_value(series.acquisition)} if series.acquisition else {}
    return {
        "n": series.n,
        "series_number": series.series_number,
        "name": series.name,
        "scanner": series.scanner,
        "verdict": series.verdict,
        **facts,
    }


def read_record(fields: Fields) -> SessionRecord:
    """Read a record. Raises FieldError, also if the session had no readable summary: such a session is read again in each run."""
    cells = {column: None if column in COLUMNS_BEYOND_SUMMARY else fields.value(column) for column in COLUMNS}
    session = fields.text("session_id")
    series_facts: ScannedOrNotCompared
    if "not_compared" in fields:
        series_facts = NotCompared(session, fields.text("not_compared"))
    else:
        series_facts = ScannedSession(session, tuple(map(_read_series, fields.json_objects("scanned_series"))))
    if "summary" not in fields:
        raise FieldError("the session has no summary")
    return SessionRecord(
        cells,
        series_facts,
        tuple(map(read_problem, fields.json_objects("problems"))),
        tuple(TsnrPoint(p.integer("n"), p.text("name"), p.number("tsnr")) for p in fields.json_objects("temporal_snr")),
        read_stamp(fields.json_object("summary")),
    )


def _read_series(fields: Fields) -> ScannedSeries:
    return ScannedSeries(
        fields.integer("n"),
        fields.integer("series_number") if "series_number" in fields else None,
        fields.text("name"),
        fields.text("scanner"),
        fields.member("verdict", SeriesVerdict) if "verdict" in fields else None,
        read_acquisition(fields.json_object("acquisition")) if "acquisition" in fields else None,
    )
