"""A study at a glance: one row for each session, from what the sessions tell of themselves (docs/summary.md)."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qxbatch.discover.results import has_images

ABSENT = "n/a"
"""As BIDS tables write what is not known."""
COLUMNS = {
    "session_id": "Name of the session folder",
    "subject": "Subject of the session",
    "session": "Session name, where the id has one",
    "state": "complete; review: there are warnings; failed: a series did not convert; sorted: not converted; "
    "incomplete: session.txt or the summary is missing",
    "scanned": "Day of the earliest study, YYYYMMDD",
    "series": "Series, images or not",
    "converted": "Series that became images",
    "partial": "Series that became images in part",
    "nothing_to_convert": "Series that hold nothing to convert",
    "failed": "Series whose conversion failed",
    "images": "NIfTI images",
    "files": "Files of the packets, those in archives counted",
    "bytes": "Size of the series' DICOM or PAR/REC, in bytes",
    "errors": "Problems that are errors",
    "warnings": "Problems that are warnings",
    "packets": "File names of the packets",
    "qxbatch": "Version that made the session",
}
"""Name to meaning, in the order of the table."""


@dataclass(frozen=True)
class Row:
    """One session."""

    cells: Mapping[str, object]
    """By the names of COLUMNS; None for what is not known."""
    problems: tuple[Mapping[str, Any], ...] = field(default=())

    @property
    def session(self) -> str:
        """The session's id."""
        return str(self.cells["session_id"])


def session_row(session: Path) -> Row:
    """Return the row of a session folder; one without a summary is told as incomplete."""
    told = read_summary(session)
    if told is None:
        cells: dict[str, object] = dict.fromkeys(COLUMNS)
        return Row({**cells, "session_id": session.name, "state": "incomplete"})
    states = Counter(str(series["state"]) for series in told["series"])
    severities = Counter(str(problem["severity"]) for problem in told["problems"])
    days = [str(series["header"].get("StudyDate") or "") for series in told["series"]]
    return Row(
        {
            "session_id": session.name,
            "subject": told["session"]["subject"],
            "session": told["session"]["session"],
            "state": _state(session, states, severities),
            "scanned": min((day for day in days if day), default=None),
            "series": len(told["series"]),
            "converted": states["converted"],
            "partial": states["partial"],
            "nothing_to_convert": states["nothing to convert"],
            "failed": states["failed"],
            "images": len(told["images"]),
            "files": sum(count for fate, count in told["ledger"]["fates"].items() if fate not in ("nodata", "opened")),
            "bytes": sum(series["size"] for series in told["series"]),
            "errors": severities["error"],
            "warnings": severities["warning"],
            "packets": ", ".join(str(packet["name"]) for packet in told["packets"]) or None,
            "qxbatch": told["qxbatch"],
        },
        tuple(told["problems"]),
    )


def read_summary(session: Path) -> dict[str, Any] | None:
    """Return a session's summary; None when there is none that can be read."""
    try:
        told = json.loads((session / "qxbatch" / "summary.json").read_bytes())
    except (OSError, ValueError):
        return None
    keys = {"session", "series", "images", "packets", "ledger", "problems", "qxbatch"}
    return told if isinstance(told, dict) and keys <= told.keys() else None


def _state(session: Path, states: Mapping[str, int], severities: Mapping[str, int]) -> str:
    if not (session / "session.txt").is_file():
        return "incomplete" if has_images(session) else "sorted"
    if severities["error"] or states["failed"]:
        return "failed"
    return "review" if severities["warning"] else "complete"


def as_tsv(rows: Iterable[Row]) -> str:
    """Return the table; what is not known is `n/a`."""
    lines = ["\t".join(COLUMNS)]
    lines += ["\t".join(_cell(row.cells[column]) for column in COLUMNS) for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    text = "".join(each if each.isprintable() else " " for each in str(value))
    return ABSENT if value is None or not text else text


def as_json(rows: Iterable[Row]) -> str:
    """Return what the columns mean, and the sessions with all their problems."""
    told = {
        "columns": COLUMNS,
        "sessions": [{**row.cells, "problems": list(row.problems)} for row in rows],
    }
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"
