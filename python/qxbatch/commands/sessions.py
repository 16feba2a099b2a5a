"""What `qxbatch sort` and `qxbatch convert` have in common: the session folders that a user names, the settings, the run."""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

from qxbatch.os_error import access_hint
from qxbatch.pipeline.run import Find, run
from qxbatch.problems import UsageError
from qxbatch.record.mapped_path import checked_outside_path
from qxbatch.report.json_file import JsonSummaryObserver
from qxbatch.session.contents import is_session, why_unreadable
from qxbatch.session.layout import ARCHIVED_PACKETS
from qxbatch.settings.model import Settings
from qxbatch.settings.parameters import PARAMETERS
from qxbatch.settings.parse import parse
from qxbatch.settings.paths import absolute_form
from qxbatch.study.sessions import sessions_in


def session_paths(names: object) -> list[Path]:
    """Return the absolute paths of named session folders, each once.

    Raises UsageError for a path that is not a folder, a folder that cannot be entered, and a folder of sessions. The named folders
    need not contain a session yet.
    """
    assert isinstance(names, list)
    paths = [absolute_form(str(name)) for name in names]
    for path in paths:
        if not path.is_dir():
            state = "is not a folder" if path.exists() else "does not exist"
            raise UsageError(f"The session folder {path} {state}.", "Name folders such as study/sessions/OP386.")
        reason = why_unreadable(path)
        if reason:
            raise UsageError(f"The session folder {path} cannot be entered: {reason}.", access_hint(path))
        sessions = [] if is_session(path) else sessions_in(path)
        if sessions:
            raise UsageError(f"{path} is a folder of sessions.", f"Name its sessions, such as {sessions[0]}.")
    return list(dict.fromkeys(paths))


def settings_of(options: Mapping[str, object], paths: Sequence[Path]) -> Settings:
    """Return the settings of a run in the sessions folder of these paths. Raises UsageError."""
    folders = sorted({path.parent for path in paths})
    if len(folders) > 1:
        raise UsageError(
            f"The sessions are in several folders: {', '.join(map(str, folders))}.",
            "Name those of one sessions folder at a time.",
        )
    values = {
        parameter.name: _text(options[parameter.option]) for parameter in PARAMETERS if options.get(parameter.option)
    }
    parsed = parse({**values, "sessionsfolder": str(folders[0]), "masterinbox": "none", "sessions": "*"})
    checked_outside_path(folders[0], parsed.settings.path_map)
    # if this folder has a subfolder `sessions`, parse() may return that one; the named sessions are not in it
    return replace(parsed.settings, sessionsfolder=folders[0], archive_folder=folders[0] / ARCHIVED_PACKETS)


def _text(value: object) -> str:
    return "yes" if value is True else str(value)


def run_sessions(settings: Settings, find: Find, *, json: bool) -> int:
    """Sort or convert the sessions that `find` returns; return the exit status. With `json`, print only the run's summary."""
    if not json:
        return run(settings, find)
    with tempfile.TemporaryDirectory(prefix="qxbatch-") as folder:
        run_summary = Path(folder) / "run.json"
        with redirect_stdout(sys.stderr):
            status = run(
                replace(settings, quiet=True), find, [JsonSummaryObserver(replace(settings, json_file=run_summary))]
            )
        print(run_summary.read_text(encoding="utf-8"), end="")
    return status
