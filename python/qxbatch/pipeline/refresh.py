"""Writes the study level (report.html, study.tsv, study.json) after an import, or after a run that could not write it."""

import sys

from qxbatch.model import Report
from qxbatch.os_error import error_text
from qxbatch.pipeline.not_imported import items_not_imported
from qxbatch.pipeline.study_level import write_study
from qxbatch.problems import UsageError
from qxbatch.session.layout import STUDY_SIDECAR
from qxbatch.settings.model import Settings, Stages
from qxbatch.study.document import read_previous
from qxbatch.study.outdated import is_outdated
from qxbatch.study.sessions import sessions_in
from qxbatch.study.study import is_current

_ATTEMPTS = 3
"""How often the files are written at most: another run may publish a session while they are written."""


def refresh_study(settings: Settings, report: Report, *, sessions_changed: bool = False) -> None:
    """Write the study level after an import; a failed write only prints a message, because the sessions are published.

    An existing study level is always written again. A missing one is written only by a run of all stages (not by `sort` and
    `convert`) for a folder with sessions, and only if the report has a published session, the folder is outdated (`is_outdated`),
    or `sessions_changed`.

    `sessions_changed`: the study level may be out of date even if the report has no published session, for example because this
    run was interrupted.
    """
    folder = settings.sessionsfolder
    is_refresh_needed = (
        sessions_changed or any(session.folder is not None for session in report.sessions) or is_outdated(folder)
    )
    if not (is_refresh_needed and settings.stages is Stages.ALL) and not (folder / STUDY_SIDECAR).exists():
        return
    try:
        for _ in range(_ATTEMPTS):
            sessions = [path for path in sessions_in(folder) if path.parent == folder]
            if not sessions and not (folder / STUDY_SIDECAR).exists():
                return
            study = write_study(folder, sessions, report, deidentified=settings.deidentified)
            if is_current(study, folder):
                return
    except UsageError as error:
        print(f"The study page was not refreshed: {error}", file=sys.stderr)
    except (OSError, ValueError, OverflowError, RecursionError) as error:
        reason = f"cannot write {error_text(error, folder)}" if isinstance(error, OSError) else repr(error)
        print(f"The study page was not refreshed: {reason}.", file=sys.stderr)


def refresh_not_imported(settings: Settings, report: Report) -> None:
    """Write the study level if the packets that were not imported are no longer those that study.json lists."""
    listed = read_previous(settings.sessionsfolder / STUDY_SIDECAR).not_imported
    if tuple(items_not_imported(report, listed, deidentified=settings.deidentified)) != listed:
        refresh_study(settings, report, sessions_changed=True)
