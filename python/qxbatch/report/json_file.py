"""The run's summary as JSON, written when the run ends (`--json-file`)."""

import errno
import os
import stat
from pathlib import Path

from qxbatch.events import CandidateFound, Event, RunFinished
from qxbatch.model import Report
from qxbatch.os_error import reason_text
from qxbatch.problems import grouped
from qxbatch.publish.durable import replace_text
from qxbatch.report.outcome import has_failed
from qxbatch.report.output_files import is_stream, why_json_file_refused
from qxbatch.report.packet_names import PacketNames
from qxbatch.settings.model import Settings
from qxbatch.textfile import open_without_waiting


class JsonSummaryObserver:
    """An observer that writes the summary; without a path it writes nothing.

    Like the log, a de-identified summary has no names of packets.
    """

    def __init__(self, settings: Settings, names: PacketNames | None = None) -> None:
        self._settings = settings
        self._path = None if settings.json_file is None else _target(settings.json_file)
        """The path without links, so that a link that appears later is not followed."""
        self._names = names or PacketNames(settings)
        self.error = ""
        """Why the file was not written at the end of the run; else empty."""

    def notify(self, event: Event, /) -> None:
        """Collect the names of packets; write the file at the end of the run."""
        if self._path is None:
            return
        if isinstance(event, CandidateFound):
            self._names.add(event.candidate)
        elif isinstance(event, RunFinished):
            self._write(self._path, event)

    def _write(self, path: Path, event: RunFinished) -> None:
        import json

        self.error = why_json_file_refused(
            path, self._settings
        )  # a file may have appeared since the check at the start
        if self.error:
            return
        self.error = "the summary could not be created"  # remains if an exception ends this method
        text = json.dumps(as_json(self._names.redact_report(event.report), event.status), indent=1) + "\n"
        try:
            _replace(path, text)
        except OSError as error:
            self.error = reason_text(error, path)
        else:
            self.error = ""


def _target(path: Path) -> Path:
    """Return the path to write. Links are resolved, except if the path names an open stream such as /dev/stdout."""
    return path if is_stream(path) else Path(os.path.realpath(path))


def _replace(path: Path, text: str) -> None:
    """Replace a regular file in one step, so that the old one remains if the disk is full. Raises OSError.

    Streams, FIFOs and devices, and files in a folder that cannot be written, are written in place.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG | 0o666
    if is_stream(path) or not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        _write_into(path, text, 0)
        return
    try:
        replace_text(path, text, os.urandom(8).hex(), stat.S_IMODE(mode) & 0o666)
    except OSError as error:
        if error.errno not in _ONLY_IN_PLACE or not os.path.lexists(path):
            raise
        _write_into(path, text, os.O_NOFOLLOW)


_ONLY_IN_PLACE = (errno.EACCES, errno.EPERM, errno.EBUSY, errno.EROFS)
"""Errors if only the file can be written and not its folder, as with a file that is bound into a container."""


def _write_into(path: Path, text: str, flags: int) -> None:
    """Write the text in place; `flags` are added to those with which `open` opens the file."""
    with open(
        path, "w", encoding="utf-8", opener=lambda name, own_flags: open_without_waiting(name, own_flags | flags)
    ) as file:
        file.write(text)


def as_json(report: Report, status: int) -> dict[str, object]:
    """Return the run's summary as a JSON value: exit status (`status`), candidates, and the result of each session."""
    from qxbatch.session.summary_parts import problem_value

    return {
        "schema": 1,
        "exit_status": status,
        "found": [
            {
                "path": str(candidate.path),
                "verdict": str(candidate.verdict),
                "packet": None if candidate.packet is None else candidate.packet.packet_name,
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
                "failed": has_failed(session),
                "problems": [problem_value(problem) for problem in grouped(session.problems)],
            }
            for session in report.sessions
        ],
    }


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
