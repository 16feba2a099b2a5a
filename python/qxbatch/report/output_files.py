"""Checks the files and folders that options name for output, except that of --work-dir: output must not replace or change data."""

import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from qxbatch.discover.own_names import WORKSPACE
from qxbatch.discover.session_folders import FolderKind, kind_of_folder
from qxbatch.os_error import reason_text
from qxbatch.problems import UsageError
from qxbatch.session.contents import has_inbox_or_results
from qxbatch.session.layout import (
    ARCHIVE,
    ARCHIVED_PACKETS,
    DICOM,
    INBOX,
    LEDGER_AT,
    MASTER_INBOX,
    NII,
    PAGE,
    SESSION_FOLDERS,
    SESSION_TXT,
    STUDY_SIDECAR,
    STUDY_TABLE,
    SUMMARY_AT,
)
from qxbatch.settings.model import Settings
from qxbatch.settings.paths import absolute_form
from qxbatch.textfile import read_text

_SUMMARY_HEAD = re.compile(rb'\s*\{\s*"schema":\s*\d+,\s*"exit_status":')
_LOG_LINE = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ ")
_LOG_HEAD = b" INFO qxbatch "
"""A log begins with a line that matches `_LOG_LINE`, and a line of this logger is near its beginning."""
_HEAD_SIZE = 4096
"""Bytes at the beginning of a file that show whether it is the summary of a run, or a log."""
_STREAM = re.compile(r"/dev/(?:null|full|tty|stdin|stdout|stderr|fd/\d+)|/proc/(?:self|\d+)/fd/\d+")
_STUDY_LEVEL = re.compile(rf"(?:{re.escape(PAGE)}|{re.escape(STUDY_TABLE)})(?:\.\d+)?|{re.escape(STUDY_SIDECAR)}")
"""Matches report.html, study.tsv and study.json in a sessions folder; `.1` and so on follow if a person wrote or changed one."""
_RECORDS = "in the folder of qxbatch's own records"
_SESSION_NAMES = (*SESSION_FOLDERS, SESSION_TXT)
"""Names in a session folder that a file of an option may not have: it would be taken for a result or for data of the session."""
_FORBIDDEN_FOLDERS = {ARCHIVE: "in the archive", INBOX: "in the master inbox", WORKSPACE: _RECORDS}
"""Folders in a sessions folder that no output may be in, each with the words of the message."""


class StudyPaths(NamedTuple):
    """Paths of the folders of a study; they may not exist."""

    sessionsfolder: Path
    masterinbox: Path | None
    """None in folder mode (`--masterinbox=none`)."""
    archive_folder: Path


def default_study_paths(sessionsfolder: Path) -> StudyPaths:
    """Return the paths of a study whose master inbox and archive are in their default places."""
    return StudyPaths(sessionsfolder, sessionsfolder / MASTER_INBOX, sessionsfolder / ARCHIVED_PACKETS)


def check_outputs(settings: Settings) -> None:
    """Raise UsageError if --log-file or --json-file of an import would change data."""
    outputs = {"--log-file": settings.log_file, "--json-file": settings.json_file}
    check_output_files(outputs, [_study_of(settings)])


def _study_of(settings: Settings) -> StudyPaths:
    return StudyPaths(settings.sessionsfolder, settings.masterinbox, settings.archive_folder)


def check_output_files(outputs: Mapping[str, Path | None], studies: Iterable[StudyPaths]) -> None:
    """Raise UsageError if one of `outputs` (maps options to paths) may not be written.

    It may not be at some places of a study, or be an existing file that its option may not replace. Besides `studies`, any study
    that contains the path is recognised.
    """
    known = list(studies)
    for option, path in outputs.items():
        if path is None or is_stream(path):
            continue
        why = _why_forbidden(path, known)
        if why:
            raise UsageError(f"{option}={path} is {why}.", "Give it another name.")
        why = _why_not_replaceable(path, option)
        if why:
            raise UsageError(f"{option}={path} exists and {why}.", "Give another name, or remove that file.")


def check_output_folder(folder: Path, studies: Iterable[StudyPaths], *, among_packets: bool = False) -> None:
    """Raise UsageError if new files in a folder would be taken, changed or removed by an import, since the folder is in a study.

    `among_packets`: whether the folder may be in a master inbox.
    """
    is_session = kind_of_folder(folder) is FolderKind.SESSION
    why = FolderKind.SESSION if is_session else _why_forbidden(folder, studies)
    if why and not (among_packets and why == _FORBIDDEN_FOLDERS[INBOX]):
        raise UsageError(f"{folder} is {why}.", "Name another folder.")


def path_and_parents_in_inbox(path: Path) -> list[Path]:
    """Return those of the path and its parents that are below the master inbox of a study; the last one is an entry of the inbox.

    Empty if the path is in no inbox. An inbox is recognised by the default layout of a study.
    """
    in_inbox = [folder for folder in (path, *path.parents) if _place_in_any_study(folder) == _FORBIDDEN_FOLDERS[INBOX]]
    return in_inbox[:-1]  # the last one is the inbox itself


def why_json_file_refused(path: Path, settings: Settings) -> str:
    """Return why --json-file may not be written to a path; empty if it may."""
    if is_stream(path):
        return ""
    why = _why_forbidden(path, [_study_of(settings)])
    if why:
        return f"it is {why}"
    why = _why_not_replaceable(path, "--json-file")
    return f"it exists and {why}" if why else ""


def _why_not_replaceable(path: Path, option: str) -> str:
    """Return why an option may not replace what is at a path; empty if it may.

    A file that cannot be read may be data, and renaming a new file over it would need no permission for the old one.
    """
    is_own, what = _REPLACEABLE[option]
    try:
        status = path.stat()
    except OSError:  # a missing file is created, or writing reports the error
        return ""
    if stat.S_ISBLK(status.st_mode):
        return f"is {what}"  # a disk: the text would replace its first bytes
    if not stat.S_ISREG(status.st_mode) or status.st_size == 0:
        return ""
    try:
        return "" if is_own(path) else f"is {what}"
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"cannot be read: {reason_text(error, path)}"


def _is_summary(path: Path) -> bool:
    return _SUMMARY_HEAD.match(_head(path)) is not None


def _is_log(path: Path) -> bool:
    try:
        head = _head(path)
    except PermissionError:  # a log is continued in place: without permission to write, opening it reports the error
        return not os.access(path, os.W_OK)
    return _LOG_LINE.match(head) is not None and _LOG_HEAD in head


def _is_toml(path: Path) -> bool:
    """Return whether a file is TOML, as protocols and rule files are. Any TOML file may be replaced, but only with --overwrite.

    Raises OSError, also for a file that is larger than a protocol or rule file can be.
    """
    import tomllib  # imported here, since an import of packets does not need it

    from qxbatch.protocol.toml_file import MAX_FILE_BYTES

    try:
        tomllib.loads(read_text(path, "strict", MAX_FILE_BYTES).removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return False
    return True


def _is_any_file(_path: Path) -> bool:
    """Return True: the export reads the table of shifts before it writes it, and stops if the file is of another kind."""
    return True


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_SIZE)


_REPLACEABLE: Mapping[str, tuple[Callable[[Path], bool], str]] = {
    "--log-file": (_is_log, "not a log of qxbatch; it would be changed"),
    "--json-file": (_is_summary, "not the summary of a run; it would be lost"),
    "--output": (_is_toml, "not a protocol; it would be lost"),
    "--init": (_is_toml, "not a rule file; it would be lost"),
    "--shift-table": (_is_any_file, ""),
}
"""For each option: whether an existing file may be replaced, and what the message says if not."""


def is_stream(path: Path) -> bool:
    """Return whether a path names an open stream, such as /dev/stderr, whose file the caller chose, or a device like /dev/null."""
    return _STREAM.fullmatch(str(path)) is not None


def _why_forbidden(path: Path, studies: Iterable[StudyPaths]) -> str:
    """Return why an output may not have this path; empty if it may.

    A link can be in a study, or lead into it: the path as written, the path in the real folder, and its target are compared.
    """
    written = absolute_form(path)
    paths = dict.fromkeys((written, _real(written.parent) / written.name, _real(path)))
    reasons = (
        *(_place_in_study(each, study) for study in studies for each in paths),
        *(_place_in_any_study(each) for each in paths),
    )
    return next(filter(None, reasons), "")


def _place_in_study(path: Path, study: StudyPaths) -> str:
    """Return where in a study a path is; empty if an output may have it.

    A path in a master inbox is allowed if the inbox contains the sessions folder: such an inbox also has other files.
    """
    for sessions in _with_target(study.sessionsfolder):
        inboxes = (
            *_with_target(sessions / MASTER_INBOX),
            *(_with_target(study.masterinbox) if study.masterinbox else ()),
        )
        folders = (
            *((inbox, _FORBIDDEN_FOLDERS[INBOX]) for inbox in inboxes if not sessions.is_relative_to(inbox)),
            *(
                (archive, _FORBIDDEN_FOLDERS[ARCHIVE])
                for archive in (*_with_target(sessions / ARCHIVE), *_with_target(study.archive_folder))
            ),
            *((records, _RECORDS) for records in _with_target(sessions / WORKSPACE)),
        )
        what = next((what for folder, what in folders if path.is_relative_to(folder)), "")
        if what:
            return what
        if not path.is_relative_to(sessions):
            continue
        parts = path.relative_to(sessions).parts
        if len(parts) == 1 and _STUDY_LEVEL.fullmatch(path.name):
            return "a file that the import itself writes"
        if len(parts) == 1 and any(_has_packet_of(path.name, inbox) for inbox in inboxes):
            return "the session folder of a packet that waits in the master inbox"
        if len(parts) > 1 and (parts[1] in _SESSION_NAMES or has_inbox_or_results(sessions / parts[0])):
            return f"in the session folder {parts[0]}"
        if _marks_session(parts):
            return "where only a session has files: the sessions folder would be taken for a session"
    return ""


def _marks_session(parts: Sequence[str]) -> bool:
    """Return whether an output with this path below a folder would make the folder a session by `is_session`."""
    return parts[:1] in ((DICOM,), (NII,)) or "/".join(parts) in (SESSION_TXT, SUMMARY_AT, LEDGER_AT)


def _has_packet_of(session: str, inbox: Path) -> bool:
    """Return whether an inbox has a packet with the name of a session, as a folder or an archive."""
    try:
        names = os.listdir(inbox)  # noqa: PTH208 - names, not paths
    except OSError:
        return False
    return any(name == session or name.startswith(f"{session}.") for name in names)


def _place_in_any_study(path: Path) -> str:
    """Return where a path is in the study that contains it, if one does; empty if an output may have it."""
    for folder in path.parents:
        kind = kind_of_folder(folder)
        if kind is FolderKind.SESSION:
            return f"in the session folder {folder.name}"
        if kind:  # a sessions folder
            parts = path.relative_to(folder).parts
            if len(parts) > 1 and parts[0] in _FORBIDDEN_FOLDERS:
                return _FORBIDDEN_FOLDERS[parts[0]]
            return _place_in_study(path, default_study_paths(folder))
    return ""


def _with_target(folder: Path) -> tuple[Path, Path]:
    """Return a path as written, and its target, which may be the same."""
    return folder, _real(folder)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
