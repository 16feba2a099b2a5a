"""The run's summary as JSON, written when the run ends (`--json-file`)."""

from pathlib import Path

from qxbatch.events import Event, RunFinished
from qxbatch.model import Report
from qxbatch.os_error import reason_text
from qxbatch.problems import grouped
from qxbatch.report.after import failed


class JsonFile:
    """An observer that writes the summary; without a path it writes nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.error = ""
        """Why the file could not be written; empty when it was, or none was asked for."""

    def notify(self, event: Event, /) -> None:
        """Write the file at the end of the run."""
        if self._path is None or not isinstance(event, RunFinished):
            return
        import json

        self.error = "the summary could not be made"  # as long as it is not written
        text = json.dumps(as_json(event.report, event.status), indent=1) + "\n"
        try:
            self._path.write_text(text, encoding="utf-8")
        except OSError as error:
            self.error = reason_text(error, self._path)
        else:
            self.error = ""


def as_json(report: Report, status: int) -> dict[str, object]:
    """Return the run's summary for --json-file: exit status, what was found, what became of each session."""
    from qxbatch.session.summary_parts import problem_value

    return {
        "schema": 1,
        "exit_status": status,
        "found": [
            {
                "path": str(c.path),
                "verdict": str(c.verdict),
                "packet": None if c.packet is None else c.packet.name,
                "session": None if c.session is None else c.session.id,
                "note": c.note,
                "problem": None if c.problem is None else problem_value(c.problem),
            }
            for c in report.candidates
        ],
        "sessions": [
            {
                "packet": s.packet,
                "session": None if s.session is None else s.session.id,
                "folder": _text(s.folder),
                "archived": _text(s.archived),
                "series": s.series,
                "images": s.images,
                "seconds": round(s.seconds, 3),
                "failed": failed(s),
                "problems": [problem_value(p) for p in grouped(s.problems)],
            }
            for s in report.sessions
        ],
    }


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
