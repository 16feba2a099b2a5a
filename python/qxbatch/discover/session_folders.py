"""Recognises folders of sessions that qxbatch or QuNex made, so that they are not moved away as packets."""

import os
import re
from collections.abc import Callable, Iterable
from enum import StrEnum
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

_IMAGE_NAME = re.compile(r"(\d+)\.nii(?:\.gz)?")


class FolderKind(StrEnum):
    """A kind of folder that is recognised; the value is its description in messages."""

    SESSION = "a session folder"
    SESSIONS_FOLDER = "the sessions folder of another study"


class RecognisedFolder(NamedTuple):
    """A session folder or a sessions folder."""

    path: Path
    kind: FolderKind


def refuse_foreign_inbox(settings: Settings) -> None:
    """Raise UsageError if the master inbox is the root folder, is a session folder or in one, or belongs to another study.

    An inbox belongs to another study if it is the sessions folder of that study, or in its archive or `.qxbatch`. All this is
    checked only with --archive=move or delete, which would take the files of the inbox away as packets. The sessions folder of
    the run may be the inbox, or be inside the inbox.
    """
    if settings.masterinbox is None or settings.archive not in (Archive.MOVE, Archive.DELETE):
        return
    inbox, sessions = (Path(os.path.realpath(path)) for path in (settings.masterinbox, settings.sessionsfolder))
    if inbox == Path(inbox.anchor):  # for example "$DATA/", and the variable is not set
        message = (
            f"The master inbox {settings.masterinbox} is the root folder: the folders of this host would be packets."
        )
        raise UsageError(message, "Name a folder of packets.")
    if inbox in (sessions, sessions / MASTER_INBOX):
        return  # its packets can have any names, such as dicom and nii
    recognised = _enclosing_sessions(inbox, sessions)
    if recognised is None:
        return
    path, kind = recognised
    relation = f"is {kind}, {path}" if path == inbox else f"is in {kind}, {path}"
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
    kind = kind_of_folder(inbox) or (FolderKind.SESSION if _looks_like_session(inbox) else None)
    if kind is FolderKind.SESSIONS_FOLDER or (kind and not sessions.is_relative_to(inbox)):
        return RecognisedFolder(inbox, kind)
    for folder in inbox.parents:
        contains_study = sessions.is_relative_to(folder)
        kind = FolderKind.SESSIONS_FOLDER if folder == sessions else None if contains_study else kind_of_folder(folder)
        first = inbox.relative_to(folder).parts[0]
        if kind is FolderKind.SESSION or (kind and not contains_study and first in (ARCHIVE, WORKSPACE)):
            return RecognisedFolder(folder, kind)
        if kind and _looks_like_session(folder / first):
            return RecognisedFolder(folder / first, FolderKind.SESSION)
        if contains_study:
            return None
    return None


def _looks_like_session(folder: Path) -> bool:
    """Return whether a folder has `dicom`, and `nii` or `inbox`, and is a session by `is_session`.

    `kind_of_folder` needs clearer marks of a session.
    """
    names = _names(folder)
    return DICOM in names and (NII in names or INBOX in names) and is_session(folder)


def refuse_session_folders(judged: Iterable[JudgedEntry], settings: Settings) -> list[JudgedEntry]:
    """Refuse ready folders that are, or contain, sessions: with --archive=move or delete they would leave their study.

    A session beside the packets, in a sessions folder that is its own master inbox, is not a packet.
    """
    has_sessions = os.path.realpath(settings.masterinbox or "") == os.path.realpath(settings.sessionsfolder)
    return [_judge(entry, settings, inbox_has_sessions=has_sessions) if entry.is_ready else entry for entry in judged]


def is_folder_of_study(path: Path, settings: Settings) -> bool:
    """Return whether an entry of the master inbox is a folder of a study: `inbox` or `qc` beside its sessions, or `inbox/MR`.

    `inbox/MR` is an entry if the master inbox is `inbox`: all packets would be taken for one.
    """
    packets = settings.sessionsfolder / MASTER_INBOX
    if path.name == packets.name and os.path.realpath(path) == os.path.realpath(packets):
        return True
    folder = Path(os.path.realpath(path.parent))
    if f"{folder.name}/{path.name}" == MASTER_INBOX:
        folder = folder.parent
    elif path.name.casefold() not in RESERVED_NAMES:
        return False
    if not os.path.isdir(path):  # noqa: PTH112 - False if it cannot be read
        return False
    is_own = os.path.realpath(folder) == os.path.realpath(settings.sessionsfolder)
    return is_own or kind_of_folder(folder) is FolderKind.SESSIONS_FOLDER


def _judge(entry: JudgedEntry, settings: Settings, *, inbox_has_sessions: bool) -> JudgedEntry:
    if not os.path.isdir(entry.path):  # noqa: PTH112 - False if it cannot be read
        return entry
    if inbox_has_sessions and kind_of_folder(entry.path) is FolderKind.SESSION:
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
        command_for(settings, [entry.session.id if entry.session else entry.packet_name], {"archive": "leave"}),
    )


def _why_refused(packet: Path, recognised: RecognisedFolder, archive: Archive) -> str:
    """Return why a folder that is, or contains, sessions is refused. If it is a link, only the link would leave the inbox."""
    path, kind = recognised
    if packet.is_symlink():
        target = os.path.realpath(packet)
        relation = (
            f"is a link to {kind}, {target}" if path == packet else f"is a link to {target}, which contains {kind}"
        )
        return f"{relation}: --archive={archive} would take only the link away, not the data."
    relation = f"is {kind}" if path == packet else f"contains {kind}, {path}"
    return f"{relation}, and --archive={archive} would take it away as a packet."


def _contained_sessions(top: Path) -> RecognisedFolder | None:
    """Return the first session folder or sessions folder at or below a folder; None if there is none.

    Links below the folder are not followed.
    """
    for folder, folders, files in walk(top):
        kind = _kind(Path(folder), folders, files)
        if kind:
            return RecognisedFolder(Path(folder), kind)
    return None


def kind_of_folder(folder: Path) -> FolderKind | None:
    """Return the kind of a folder; None if it is not recognised, or cannot be read."""
    return next((_kind(folder, folders, files) for _, folders, files in walk(folder)), None)


def _kind(path: Path, folders: list[str], files: list[str]) -> FolderKind | None:
    """Return the kind of a folder with these folders and files; None if it is not recognised.

    The names of entries show which kinds are possible. For each of these kinds, a function reads more of the folder.
    """
    marks: tuple[tuple[bool, Callable[[Path], bool], FolderKind], ...] = (
        (WORKSPACE in folders, _has_workspace_entries, FolderKind.SESSIONS_FOLDER),
        (STUDY_SIDECAR in files and STUDY_TABLE in files, _always, FolderKind.SESSIONS_FOLDER),
        (ARCHIVE in folders, _has_study_folders, FolderKind.SESSIONS_FOLDER),
        (SESSION_TXT in files, _has_session_txt, FolderKind.SESSION),
        (QXBATCH_FOLDER in folders, has_session_records, FolderKind.SESSION),
        (DICOM in folders, _has_sorted_series, FolderKind.SESSION),
    )
    return next((kind for may_be, is_of_kind, kind in marks if may_be and is_of_kind(path)), None)


def _always(_path: Path) -> bool:
    return True


def _has_workspace_entries(path: Path) -> bool:
    return bool(_names(path / WORKSPACE))


def _has_study_folders(path: Path) -> bool:
    folders = (path / MASTER_INBOX, path / ARCHIVED_PACKETS)
    return all(os.path.isdir(folder) for folder in folders)  # noqa: PTH112 - False if it cannot be read


def _has_session_txt(path: Path) -> bool:
    """Return whether session.txt has an id and a subject, or cannot be read. Other programs may have a file with this name."""
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
    if os.path.isfile(paths.dicom_report):  # noqa: PTH113 - False if it cannot be read
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
