"""The study level: report.html, study.tsv and study.json in the sessions folder, after an import or on request."""

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from qxbatch.model import Candidate, Report, Verdict
from qxbatch.os_error import error_text
from qxbatch.page.study import study_page
from qxbatch.problems import Problem, Severity
from qxbatch.publish.alone import alone_in
from qxbatch.publish.durable import NO_RUN, rename_new, replaced_text
from qxbatch.session.folder import SessionFolder
from qxbatch.session.layout import PAGE, STUDY_SIDECAR, STUDY_TABLE
from qxbatch.settings.model import Settings, Stages
from qxbatch.study.document import as_json, as_tsv, read_known
from qxbatch.study.exports import existing_exports
from qxbatch.study.sessions import sessions_in
from qxbatch.study.study import NotImported, Study, is_current, study_of
from qxbatch.textfile import read_bytes

_NOT_IMPORTED = (Verdict.NO_MATCH_IN_LOG, Verdict.NO_NAME, Verdict.NOT_PARSED, Verdict.STRAY)
"""Verdicts of things in the inbox that no run imports as they are."""


def write_study(
    folder: Path, sessions: Iterable[Path], report: Report | None = None, *, deidentified: bool = False
) -> Study:
    """Write the three files from the summaries of these sessions; return the study. Raises OSError.

    Sessions whose summary is that of the last study.json are not read again. `report` is of the import that ends now; without
    it, what earlier imports did not import stays as long as it is in the inbox. `deidentified`: packets that have no session are
    counted and not named, since no session id can replace what their names say of a patient.
    """
    with alone_in(folder) as alone:
        known = read_known(folder / STUDY_SIDECAR)
        if report is None:
            waiting = _still_there(known.not_imported)
        else:
            waiting = _counted(report) if deidentified else _not_imported(report, known.not_imported)
        study = study_of(map(SessionFolder, sessions), known.sessions, waiting, existing_exports(folder))
        tag = NO_RUN if alone else os.urandom(8).hex()
        for name, start in _OWN.items():
            keep_foreign(folder / name, start)
        replaced_text(folder / STUDY_TABLE, as_tsv(study.rows), tag)
        replaced_text(folder / STUDY_SIDECAR, as_json(study), tag)
        replaced_text(folder / PAGE, study_page(folder, study), tag)
        return study


_OWN = {STUDY_TABLE: b"session_id\t", STUDY_SIDECAR: b"{\n", PAGE: b'<!DOCTYPE html>\n<html lang="en">\n'}
"""How the files of the study level begin, of this version and of earlier ones."""


def keep_foreign(path: Path, start: bytes) -> None:
    """Rename a user's file that has the name of a file of the study level, and say so. Raises OSError."""
    try:
        if read_bytes(path).startswith(start):
            return
    except FileNotFoundError:
        return
    except OSError:
        if path.is_symlink() or not path.is_file():
            return  # a link or FIFO has no bytes to keep, and a folder cannot be replaced
        raise
    k = 1
    while os.path.lexists(kept := path.with_name(f"{path.name}.{k}")):
        k += 1
    rename_new(path, kept)
    print(f"{path} was not written by qxbatch: it is now {kept.name}.", file=sys.stderr)


def refresh_study(settings: Settings, report: Report, *, interrupted: bool = False) -> None:
    """Write the study level after an import; what cannot be written is a message, since the sessions are published.

    Where nothing was imported, or single sessions were sorted or converted, only a study level that exists is refreshed: a
    refused packet changes nothing. `interrupted`: a run may have published sessions and not come here.
    """
    folder = settings.sessionsfolder
    imported = interrupted or any(session.folder is not None for session in report.sessions)
    if not (imported and settings.stages is Stages.ALL) and not (folder / STUDY_SIDECAR).exists():
        return
    try:
        for _ in range(_ATTEMPTS):
            sessions = [path for path in sessions_in(folder) if path.parent == folder]
            if not sessions and not (folder / STUDY_SIDECAR).exists():
                return
            study = write_study(folder, sessions, report, deidentified=settings.deidentified)
            if is_current(study, folder):
                return
    except (OSError, ValueError, OverflowError, RecursionError) as error:
        text = error_text(error, folder) if isinstance(error, OSError) else repr(error)
        print(f"The study page was not refreshed: cannot write {text}.", file=sys.stderr)


_ATTEMPTS = 3
"""Another run may publish a session while the files are written."""


def _not_imported(report: Report, earlier: Sequence[NotImported]) -> list[NotImported]:
    """Return what was not imported: by this run, and by earlier ones where this run did not look at it.

    Whether an item without a path is still there only its own run knew.
    """
    seen = {candidate.path.name for candidate in report.candidates if candidate.verdict is not Verdict.FILTERED}
    found = [item for item in _still_there(earlier) if item.path and item.item not in seen]
    for candidate in report.candidates:
        problem = candidate.problem
        if problem is not None:
            found.append(_item(candidate.path, problem))
        elif candidate.verdict in _NOT_IMPORTED:
            reason = f"{candidate.verdict}{f': {candidate.note}' if candidate.note else ''}"
            found.append(NotImported(candidate.path.name, reason, path=str(candidate.path)))
    for session in report.sessions:
        problem = next((each for each in session.problems if each.severity is Severity.ERROR), None)
        if session.folder is None and problem is not None:
            path = next((c.path for c in report.candidates if c.path.name in session.packet.split(", ")), None)
            found.append(_item(path or Path(session.packet), problem))
    return sorted(dict.fromkeys(found))


def _counted(report: Report) -> list[NotImported]:
    """Return what this run did not import, without names; messages and commands have names too."""
    reasons = [str(each.problem.code if each.problem else each.verdict) for each in report.candidates if _waits(each)]
    for session in report.sessions:
        codes = [each.code for each in session.problems if each.severity is Severity.ERROR]
        if session.folder is None and codes:
            reasons.append(str(codes[0]))
    return [
        NotImported(f"packet {k}", f"{reason}; the end of the run named it")
        for k, reason in enumerate(sorted(reasons), 1)
    ]


def _waits(candidate: Candidate) -> bool:
    return candidate.problem is not None or candidate.verdict in _NOT_IMPORTED


def _item(path: Path, problem: Problem) -> NotImported:
    reason = " ".join(text for text in (problem.message, problem.hint) if text)
    return NotImported(path.name, reason, problem.command, str(path) if os.path.lexists(path) else "")


def _still_there(items: Sequence[NotImported]) -> list[NotImported]:
    """Return the items that are in the inbox; one without a path has a name that is not that of the file."""
    return [item for item in items if not item.path or os.path.lexists(item.path)]
