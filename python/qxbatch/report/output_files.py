"""The files of --log-file and --json-file: they may neither replace data nor change them."""

import os
import re
import stat
from pathlib import Path

from qxbatch.discover.own_names import WORKSPACE
from qxbatch.problems import UsageError
from qxbatch.session.contents import has_session
from qxbatch.session.layout import ARCHIVE, MASTER_INBOX, PAGE, STUDY_SIDECAR, STUDY_TABLE
from qxbatch.settings.model import Settings

_SUMMARY = re.compile(rb'\s*\{\s*"schema":\s*\d+,\s*"exit_status":')
_ENOUGH = 512
"""Bytes in which the beginning of a run's summary is found."""
_STREAM = re.compile(r"/dev/(?:null|full|tty|stdin|stdout|stderr|fd/\d+)|/proc/(?:self|\d+)/fd/\d+")


def refuse_outputs(settings: Settings) -> None:
    """Raise UsageError if --log-file or --json-file names a file of the study, or if --json-file would replace another file."""
    for option, path in (("--log-file", settings.log_file), ("--json-file", settings.json_file)):
        why = "" if path is None or _is_stream(path) else _place(path, settings)
        if why:
            raise UsageError(f"{option}={path} is {why}.", "Give it another name.")
    if settings.json_file is not None and not is_replaceable(settings.json_file):
        raise UsageError(
            f"--json-file={settings.json_file} exists and is not the summary of a run; it would be lost.",
            "Give another name, or remove that file.",
        )


def is_replaceable(path: Path) -> bool:
    """Return whether a summary may be written to that path: the file is new, empty, a run's summary, or no regular file."""
    if _is_stream(path):
        return True
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size == 0:
            return True
        with path.open("rb") as file:
            return _SUMMARY.match(file.read(_ENOUGH)) is not None
    except OSError:  # it is missing, or writing it reports the reason
        return True


def _is_stream(path: Path) -> bool:
    """Return whether a path names an open stream, such as /dev/stderr: the caller chose its file."""
    return _STREAM.fullmatch(str(path)) is not None


def _place(path: Path, settings: Settings) -> str:
    """Return what a path is that an output may not have; empty if it may."""
    real = _real(path)
    names = {real, _real(path.parent) / path.name}  # a link can be in the study, or lead into it
    sessions = _real(settings.sessionsfolder)
    if names & {sessions / name for name in (PAGE, STUDY_TABLE, STUDY_SIDECAR)}:
        return "a file that the import itself writes"
    for folder, what in _folders(settings, sessions):
        if any(name.is_relative_to(folder) for name in names):
            return what
    for name in names:
        parts = name.relative_to(sessions).parts if name.is_relative_to(sessions) else ()
        if len(parts) > 1 and has_session(sessions / parts[0]):
            return f"in the session folder {parts[0]}"
    return ""


def _folders(settings: Settings, sessions: Path) -> list[tuple[Path, str]]:
    """Return the folders of packets and records. A master inbox around the sessions folder can have other files too."""
    inboxes = {_real(settings.sessionsfolder / MASTER_INBOX)}
    if settings.masterinbox is not None:
        inboxes.add(_real(settings.masterinbox))
    return [
        *((inbox, "in the master inbox") for inbox in inboxes if not sessions.is_relative_to(inbox)),
        (_real(settings.sessionsfolder / ARCHIVE), "in the archive"),
        (_real(settings.archive_folder), "in the archive"),
        (_real(settings.sessionsfolder / WORKSPACE), "in the folder of qxbatch's own records"),
    ]


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
