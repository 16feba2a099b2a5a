"""Imports the packet with a name, or the packets of a session. A workflow engine may repeat the call."""

import os
from collections.abc import Sequence

from qxbatch.discover.existing import existing_clause
from qxbatch.exits import ExitStatus
from qxbatch.model import Candidate, Report, Verdict
from qxbatch.pipeline.ending import end_named
from qxbatch.pipeline.name_match import match_name
from qxbatch.pipeline.named_units import import_named
from qxbatch.pipeline.writable import need_writable
from qxbatch.publish.locks import Locks
from qxbatch.report.observers import RunObservers
from qxbatch.session.contents import has_inbox_or_results
from qxbatch.session.folder import SessionFolder
from qxbatch.settings.model import Check, Settings
from qxbatch.visible import one_line


def import_one(settings: Settings, name: str) -> int:
    """Import the packet `name` and the other packets of its session, or the packets of the session `name`; return the exit status.

    Several packets of one session are refused without --on-same-session=merge. A session that exists already is a success, so that
    the call can be repeated. Raises UsageError.
    """
    need_writable(settings)
    match = match_name(settings, name)
    observer = RunObservers(settings)
    with observer.progress:
        report = import_named(
            settings,
            # each possible session gets all packets: `import_named` determines to which of the sessions each packet belongs
            dict.fromkeys(match.session_ids, match.packet_names),
            observer,
            open_locks=lambda workspace: Locks(workspace.locks_folder),
            check_ready=need_writable,
        )
    note = _note(report, settings, name, match.session_ids)
    if note and not settings.quiet:
        print(note)
    status = end_named(settings, report, observer)
    if status or note or report.sessions:
        return status
    return _report_nothing(report, settings, name)


def _note(report: Report, settings: Settings, name: str, sessions: Sequence[str]) -> str:
    """Return a note if a packet was imported before, else an empty text. `sessions` are the ids that the name may mean.

    For a packet that is not in the inbox, a session folder counts only if its summary can be read.
    """
    if report.sessions:
        return ""
    for candidate in report.candidates:
        if candidate.verdict is Verdict.ALREADY_THERE and candidate.session is not None:
            session = candidate.session.id
            # the clause is empty if the session was moved away after the packets were judged
            what = existing_clause(settings, session) or f"session {session} exists"
            return f"{one_line(name)}: {what}; nothing was done."
    for session in () if report.candidates else sessions:
        folder = settings.sessionsfolder / session
        what = existing_clause(settings, session)
        # if `what` says that the packet was split, the session has no folder with results, and so no summary
        if what and (not has_inbox_or_results(folder) or SessionFolder(folder).readable_summary is not None):
            return f"{one_line(name)} is not in the inbox, and {what}; nothing was done."
    return ""


def _report_nothing(report: Report, settings: Settings, name: str) -> int:
    """Print why nothing was imported; return the exit status."""
    notes = "; ".join(map(_verdict, report.candidates)) or f"nothing of that name is in {_where(settings)}"
    print(f"{one_line(name)} was not imported: {one_line(notes)}.")
    return int(ExitStatus.NOTHING_READY if settings.check is Check.ANY else ExitStatus.OK)


def _verdict(candidate: Candidate) -> str:
    return f"{candidate.path.name}: {candidate.verdict}{f' ({candidate.note})' if candidate.note else ''}"


def _where(settings: Settings) -> str:
    """Return the folder in which names are looked up: the master inbox; in folder mode, the sessions folder."""
    return os.fspath(settings.sessionsfolder if settings.masterinbox is None else settings.masterinbox)
