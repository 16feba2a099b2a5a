"""The run's summary as JSON, written when the run ends (`--json-file`)."""

from pathlib import Path

from qxbatch.events import Event, PacketFound, RunFinished
from qxbatch.model import Report
from qxbatch.os_error import reason_text
from qxbatch.problems import grouped
from qxbatch.report.outcome import failed
from qxbatch.report.output_files import is_replaceable
from qxbatch.report.packet_names import PacketNames
from qxbatch.settings.model import Settings


class JsonFile:
    """An observer that writes the summary; without a path it writes nothing.

    Like the log, a de-identified summary has no names of packets.
    """

    def __init__(self, settings: Settings, names: PacketNames | None = None) -> None:
        self._path = settings.json_file
        self._names = names or PacketNames(settings)
        self.error = ""
        """Why the file could not be written; empty if it was written, or if there is no --json-file."""

    def notify(self, event: Event, /) -> None:
        """Collect the names of packets; write the file at the end of the run."""
        if self._path is None:
            return
        if isinstance(event, PacketFound):
            self._names.add(event.candidate)
        elif isinstance(event, RunFinished):
            self._write(self._path, event)

    def _write(self, path: Path, event: RunFinished) -> None:
        import json

        if not is_replaceable(path):  # the command does not check it before, or it appeared since
            self.error = "it exists and is not the summary of a run"
            return
        self.error = "the summary could not be created"  # as long as it is not written
        text = json.dumps(as_json(self._names.left_out_of(event.report), event.status), indent=1) + "\n"
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            self.error = reason_text(error, path)
        else:
            self.error = ""


def as_json(report: Report, status: int) -> dict[str, object]:
    """Return the run's summary for --json-file: exit status, candidates, and the result of each session."""
    from qxbatch.session.summary_parts import problem_value

    return {
        "schema": 1,
        "exit_status": status,
        "found": [
            {
                "path": str(candidate.path),
                "verdict": str(candidate.verdict),
                "packet": None if candidate.packet is None else candidate.packet.name,
                "session": None if candidate.session is None else candidate.session.id,
                "note": candidate.note,
                "problem": None if candidate.problem is None else problem_value(candidate.problem),
            }
            for candidate in report.candidates
        ],
        "sessions": [
            {
                "packet": session.packet,
                "session": None if session.session is None else session.session.id,
                "folder": _text(session.folder),
                "archived": _text(session.archived),
                "series": session.series,
                "images": session.images,
                "seconds": round(session.seconds, 3),
                "failed": failed(session),
                "problems": [problem_value(problem) for problem in grouped(session.problems)],
            }
            for session in report.sessions
        ],
    }


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
