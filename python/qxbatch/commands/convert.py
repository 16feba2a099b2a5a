"""`qxbatch convert`: converts the sorted DICOM of sessions, whichever program sorted it, and writes session.txt."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from qxbatch.commands.sessions import run_sessions, session_paths, settings_of
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.ingest.sources import sorted_sources
from qxbatch.model import Candidate, Packet, SessionId, Verdict
from qxbatch.os_error import access_hint, error_text
from qxbatch.problems import Code, Problem, UsageError
from qxbatch.resolve.nameformat import session_by_folder
from qxbatch.resolve.names import invalid_name_reason
from qxbatch.session.contents import has_nii_files
from qxbatch.session.folder import SessionFolder
from qxbatch.session.paths import SessionPaths
from qxbatch.settings.command import command_for
from qxbatch.settings.model import Settings, Stages


def run(options: Mapping[str, object]) -> int:
    """Convert the named sessions; return the exit status. Raises UsageError."""
    paths = session_paths(options["<session>"])
    user_settings = settings_of(options, paths)
    by_format = bool(options["--nameformat"])

    def find(settings: Settings) -> list[Candidate]:
        return [candidate_of(path, settings, overwrite=user_settings.overwrite, by_format=by_format) for path in paths]

    # the session folders exist already, so the run replaces them; `find` leaves out converted ones without --overwrite
    settings = replace(user_settings, stages=Stages.CONVERT, overwrite=True, gzip_as_found=not options["--gzip"])
    return run_sessions(settings, find, json=bool(options["--json"]))


def candidate_of(path: Path, settings: Settings, *, overwrite: bool, by_format: bool) -> Candidate:
    """Return the candidate of a session folder. Its subject is that of the summary, else of session.txt. If neither has one, or
    with `by_format`, it is the subject that --nameformat finds. With `overwrite`, a session that has images is ready, too.
    """
    previous_subject = "" if by_format else SessionFolder(path).subject
    session = (
        SessionId(previous_subject, folder=path.name)
        if previous_subject
        else session_by_folder(path.name, settings.nameformat)
    )
    if session is None:
        return Candidate(path, Verdict.NOT_PARSED, note=f"--nameformat finds no subject in {path.name}")
    why = invalid_name_reason(path.name)
    if why:
        problem = Problem(Code.BAD_NAME, str(path), f"no session may have that name: {why}.", "Rename the folder.")
        return Candidate(path, Verdict.REFUSED, session=session, problem=problem)
    try:
        return _by_contents(path, settings, session, overwrite=overwrite)
    except (UsageError, OSError) as error:
        reason = error.message.rstrip(".") if isinstance(error, UsageError) else error_text(error)
        message = f"its sorted DICOM cannot be read: {reason}."
        problem = Problem(Code.UNREADABLE, str(path), message, access_hint(SessionPaths(path).dicom))
        return Candidate(path, Verdict.REFUSED, session=session, problem=problem)


def _by_contents(path: Path, settings: Settings, session: SessionId, *, overwrite: bool) -> Candidate:
    """Return the candidate of a session folder by its sorted DICOM and its images. Raises UsageError and OSError."""
    dicom = SessionPaths(path).dicom
    if not sorted_sources(dicom):
        note = "it has no sorted DICOM: run `qxbatch sort` first"
        return Candidate(path, Verdict.STRAY, session=session, note=note)
    if has_nii_files(path) and not overwrite:
        note = f"it was converted; to convert it again: {command_for(settings, [path.name], {'overwrite': 'yes'})}"
        return Candidate(path, Verdict.ALREADY_THERE, session=session, note=note)
    packet = Packet(dicom, path.name, fingerprint(dicom))
    return Candidate(path, Verdict.READY, packet, session)
