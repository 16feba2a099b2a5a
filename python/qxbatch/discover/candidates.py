"""Lists the inbox, judges each entry, and computes the fingerprints of ready ones."""

import time
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qxbatch.discover.entry import Entry, is_loose_dicom
from qxbatch.discover.existing import judge_by_session_folders
from qxbatch.discover.folder_clash import refuse_shared_folders
from qxbatch.discover.judged_entry import JudgedEntry
from qxbatch.discover.listing import Sniff, core_sniff, list_inbox
from qxbatch.discover.plan import judge_entries, judge_same_session, session_of
from qxbatch.discover.readiness import with_fingerprint
from qxbatch.discover.session_folders import refuse_session_folders
from qxbatch.discover.unsafe_folders import refuse_unsafe_folders
from qxbatch.model import Candidate
from qxbatch.settings.model import Settings

if TYPE_CHECKING:
    from qxbatch.discover.folders import ListedFolder
    from qxbatch.discover.loose import Studies
    from qxbatch.resolve.logfile import LogfileRows


def candidates(
    settings: Settings,
    *,
    sniff: Sniff = core_sniff,
    studies: "Studies | None" = None,
    now_ns: Callable[[], int] = time.time_ns,
    only_names: Collection[str] | None = None,
) -> list[Candidate]:
    """Return the entries of the inbox (or the requested session folders), sorted by name, each with its verdict.

    In folder mode (`--masterinbox=none`) a candidate is a session folder, and its packet is `<session>/inbox`. With `only_names`,
    only the entries or folders with these names are returned. `sniff` recognises a file by its content, `studies` returns the
    studies of loose files, and `now_ns` the time; tests replace them. Raises UsageError.
    """
    refuse_unsafe_folders(settings)
    if settings.masterinbox is None:
        from qxbatch.discover.folders import list_folders

        return candidates_of_folders(
            list_folders(settings.sessionsfolder, settings.sessions, only_names), settings, now_ns
        )
    entries = _entries(settings.masterinbox, (settings.sessionsfolder, settings.archive_folder), sniff, only_names)
    judged = _judge_inbox(settings, entries, logfile_rows(settings), studies)
    return [
        with_fingerprint(entry, entry.path, settings, now_ns())
        for entry in judged
        if only_names is None or entry.path.name in only_names
    ]


def _entries(
    inbox: Path, written_folders: Sequence[Path], sniff: Sniff, only_names: Collection[str] | None
) -> list[Entry]:
    """Return the entries of the inbox, with `only_names` those with these names.

    If one of them is a loose DICOM file, all loose DICOM files are returned: those of one study are refused together.
    """
    entries = list_inbox(inbox, written_folders, sniff, only_names)
    if only_names is None or not any(map(is_loose_dicom, entries)):
        return entries
    inbox_entries = list_inbox(inbox, written_folders, sniff)
    return [entry for entry in inbox_entries if entry.name in only_names or is_loose_dicom(entry)]


def logfile_rows(settings: Settings) -> "LogfileRows | None":
    """Return the table of the logfile; None without --logfile. Raises UsageError."""
    if settings.logfile is None:
        return None
    from qxbatch.resolve.logfile import read_logfile

    return read_logfile(settings.logfile)


def candidates_of_folders(
    folders: Sequence["ListedFolder"], settings: Settings, now_ns: Callable[[], int] = time.time_ns
) -> list[Candidate]:
    """Return the candidates of session folders, each with its verdict; their data are in `<session>/inbox`."""
    from qxbatch.discover.folders import inbox_of, judge_folders

    judged = judge_folders(folders, settings)
    return [with_fingerprint(folder, inbox_of(folder), settings, now_ns()) for folder in judged]


def _judge_inbox(
    settings: Settings, entries: Sequence[Entry], rows: "LogfileRows | None", studies: "Studies | None"
) -> list[JudgedEntry]:
    judged = refuse_shared_folders(
        judge_entries(entries, settings, rows), settings, partial(session_of, settings, rows)
    )
    if sum(map(is_loose_dicom, entries)) > 1:
        from qxbatch.discover.loose import core_studies, judge_loose

        judged = judge_loose(entries, judged, settings, studies or core_studies, partial(session_of, settings, rows))
    judged = refuse_session_folders(judge_by_session_folders(judged, settings), settings)
    return judge_same_session(judged, settings)
