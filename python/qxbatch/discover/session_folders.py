"""Recognises folders of sessions that qxbatch or QuNex made, so that they are not moved away as packets."""

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from qxbatch.discover.judged_entry import JudgedEntry
from qxbatch.discover.own_names import WORKSPACE
from qxbatch.model import Verdict
from qxbatch.problems import Code, UsageError
from qxbatch.resolve.names import RESERVED_NAMES
from qxbatch.session.contents import has_session_records, is_session
from qxbatch.session.layout import (
    ARCHIVE,
    ARCHIVED_PACKETS,
    DICOM,
    INBOX,
    MASTER_INBOX,
    NII,
    PACKED_SUFFIX,
    QXBATCH_FOLDER,
    SESSION_TXT,
    STUDY_SIDECAR,
    STUDY_TABLE,
)
from qxbatch.session.paths import SessionPaths
from qxbatch.session.session_txt import read_session_txt
from qxbatch.settings.command import command_for
from qxbatch.settings.model import Archive, Settings
from qxbatch.visible import shell_word
from qxbatch.walk import walk

SESSION = "a session folder"
SESSIONS = "the sessions folder of another study"
"""The kinds of folders that are recognised, in the words of the messages."""
_IMAGE_NAME = re.compile(r"(\d+)\.nii(?:\.gz)?")


class RecognisedFolder(NamedTuple):
    """A session folder or a sessions folder."""

    path: Path
    what: str
    """SESSION or SESSIONS."""


def refuse_foreign_inbox(settings: Settings) -> None:
    """Raise UsageError if the master inbox is a session folder or in one, or is a part of another study.

    With --archive=move or delete, its files would leave that study as packets. The study's own sessions folder may be the
    inbox, or in it.
    """
    if settings.masterinbox is None or settings.archive not in (Archive.MOVE, Archive.DELETE):
        return
    inbox, sessions = (Path(os.path.realpath(path)) for path in (settings.masterinbox, settings.sessionsfolder))
    if inbox in (sessions, sessions / MASTER_INBOX):
        return  # its packets can have any names, such as dicom and nii
    recognised = _enclosing_sessions(inbox, sessions)
    if recognised is None:
        return
    path, what = recognised
    relation = f"is {what}, {path}" if path == inbox else f"is in {what}, {path}"
    packets = path / MASTER_INBOX
    leave = f"qxbatch {shell_word(str(sessions))} --masterinbox={shell_word(str(inbox))} --archive=leave"
    named = f"Name a folder of packets{f', such as {packets}' if packets.is_dir() else ''}"
    raise UsageError(
        f"The master inbox {settings.masterinbox} {relation}: its files would be moved away as packets.",
        f"{named}, or import from there and leave them in place: {leave}",
    )


def _enclosing_sessions(inbox: Path, sessions: Path) -> RecognisedFolder | None:
    """Return the session folder, or the sessions folder of another study, that the inbox is or is in.

    The inbox may be in another study's sessions folder, but not in its sessions, archive or `.qxbatch`.
    """
    what = kind_of_folder(inbox) or (SESSION if _looks_like_session(inbox) else "")
    if what == SESSIONS or (what and not sessions.is_relative_to(inbox)):
        return RecognisedFolder(inbox, what)
    for folder in inbox.parents:
        is_own = sessions.is_relative_to(folder)
        what = SESSIONS if folder == sessions else "" if is_own else kind_of_folder(folder)
        first = inbox.relative_to(folder).parts[0]
        if what == SESSION or (what and not is_own and first in (ARCHIVE, WORKSPACE)):
            return RecognisedFolder(folder, what)
        if what and _looks_like_session(folder / first):
            return RecognisedFolder(folder / first, SESSION)
        if is_own:
            return None
    return None


def _looks_like_session(folder: Path) -> bool:
    """Return whether a folder is a session that no program marked: it has `dicom`, and `nii` or `inbox`, and results."""
    names = _names(folder)
    return DICOM in names and (NII in names or INBOX in names) and is_session(folder)


def refuse_session_folders(judged: Iterable[JudgedEntry], settings: Settings) -> list[JudgedEntry]:
    """Refuse ready folders that are, or contain, sessions: with --archive=move or delete they would leave their study.

    A session beside the packets, in a sessions folder that is its own master inbox, is not a packet.
    """
    is_own = os.path.realpath(settings.masterinbox or "") == os.path.realpath(settings.sessionsfolder)
    return [_judge(entry, settings, is_own=is_own) if entry.is_ready else entry for entry in judged]


def is_folder_of_study(path: Path, settings: Settings) -> bool:
    """Return whether an entry of the master inbox is a folder of a study, such as `inbox` or `qc`, beside its sessions."""
    if path.name.casefold() not in RESERVED_NAMES or not os.path.isdir(path):  # noqa: PTH112 - False if it cannot be read
        return False
    folder = path.parent
    is_own = os.path.realpath(folder) == os.path.realpath(settings.sessionsfolder)
    return is_own or kind_of_folder(folder) == SESSIONS


def _judge(entry: JudgedEntry, settings: Settings, *, is_own: bool) -> JudgedEntry:
    if not os.path.isdir(entry.path):  # noqa: PTH112 - False if it cannot be read
        return entry
    if is_own and kind_of_folder(entry.path) == SESSION:
        return entry.with_verdict(Verdict.STRAY, "it is a session of this study")
    if settings.archive not in (Archive.MOVE, Archive.DELETE):
        return entry
    recognised = _contained_sessions(entry.path)
    if recognised is None:
        return entry
    return entry.refuse(
        Code.SESSION_FOLDER,
        _why_refused(entry.path, recognised, settings.archive),
        "Name a folder of packets as --masterinbox, or import it and leave it in place:",
        command_for(settings, [entry.session.id if entry.session else entry.name], {"archive": "leave"}),
    )


def _why_refused(packet: Path, recognised: RecognisedFolder, archive: Archive) -> str:
    """Return why a folder that is, or contains, sessions is refused. If it is a link, only the link would leave the inbox."""
    path, what = recognised
    if packet.is_symlink():
        target = os.path.realpath(packet)
        relation = (
            f"is a link to {what}, {target}" if path == packet else f"is a link to {target}, which contains {what}"
        )
        return f"{relation}: --archive={archive} would take only the link away, not the data."
    relation = f"is {what}" if path == packet else f"contains {what}, {path}"
    return f"{relation}, and --archive={archive} would take it away as a packet."


def _contained_sessions(top: Path) -> RecognisedFolder | None:
    """Return the first session folder or sessions folder at or below a folder; None if there is none.

    Links below the folder are not followed.
    """
    for folder, folders, files in walk(top):
        what = _kind(Path(folder), folders, files)
        if what:
            return RecognisedFolder(Path(folder), what)
    return None


def kind_of_folder(folder: Path) -> str:
    """Return SESSION or SESSIONS; empty for another folder, and for one that cannot be read."""
    return next((_kind(folder, folders, files) for _, folders, files in walk(folder)), "")


def _kind(path: Path, folders: list[str], files: list[str]) -> str:
    """Return SESSION or SESSIONS for a folder with these folders and files; empty if it is neither.

    The name of an entry shows that a folder may be one. Then a function reads more of the folder.
    """
    marks: tuple[tuple[bool, Callable[[Path], bool], str], ...] = (
        (WORKSPACE in folders, _has_workspace_entries, SESSIONS),
        (STUDY_SIDECAR in files and STUDY_TABLE in files, _always, SESSIONS),
        (ARCHIVE in folders, _has_study_folders, SESSIONS),
        (SESSION_TXT in files, _has_session_txt, SESSION),
        (QXBATCH_FOLDER in folders, has_session_records, SESSION),
        (DICOM in folders, _has_sorted_series, SESSION),
    )
    return next((what for may_be, is_what, what in marks if may_be and is_what(path)), "")


def _always(_path: Path) -> bool:
    return True


def _has_workspace_entries(path: Path) -> bool:
    return bool(_names(path / WORKSPACE))


def _has_study_folders(path: Path) -> bool:
    return (path / MASTER_INBOX).is_dir() and (path / ARCHIVED_PACKETS).is_dir()


def _has_session_txt(path: Path) -> bool:
    """Return whether session.txt is that of a session, or cannot be read: other programs may have a file with this name."""
    try:
        text = read_session_txt(path / SESSION_TXT)
    except OSError:
        return True
    return bool(text.id and text.subject)


def _has_sorted_series(path: Path) -> bool:
    """Return whether `dicom` is that of a session, and not the folder of an export.

    The `dicom` of a session contains DICOM-Report.txt, or a series whose number is in the name of an image or of a file:
    `dicom/30` with `nii/31.nii.gz`, or with a file `<patient>-30-<UID>.dcm`. The numbers of all its series end in 0.
    """
    paths = SessionPaths(path)
    if paths.dicom_report.is_file():
        return True
    names = _names(paths.dicom)
    series = {name.removesuffix(PACKED_SUFFIX) for name in names if name.removesuffix(PACKED_SUFFIX).isdecimal()}
    if not all(number.endswith("0") for number in series):
        return False
    matches = map(_IMAGE_NAME.fullmatch, _names(path / NII))
    images = {int(match[1]) for match in matches if match}
    if any(number % 10 and str(number - number % 10) in series for number in images):
        return True
    files = ((number, name) for number in series for name in _names(paths.dicom / number)[:1])
    return any(re.search(rf"-{number}-[012]\.[0-9.]+\.dcm", name) for number, name in files)


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - names
    except OSError:
        return []
