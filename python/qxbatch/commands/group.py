"""The BIDS-App level `group`: the page, table and sidecar of the study, from the summaries of its sessions."""

from qxbatch.discover.filters import label_reason
from qxbatch.exits import ExitStatus
from qxbatch.model import SessionId
from qxbatch.os_error import error_text
from qxbatch.pipeline.study_level import write_study
from qxbatch.problems import UsageError
from qxbatch.report.study import difference_lines
from qxbatch.session.folder import SessionFolder
from qxbatch.session.layout import STUDY_TABLE
from qxbatch.settings.model import Check, Settings
from qxbatch.study.document import as_tsv
from qxbatch.study.exports import existing_data_sets
from qxbatch.study.sessions import sessions_in
from qxbatch.study.study import study_of


def run(settings: Settings) -> int:
    """Write `report.html`, `study.tsv` and `study.json` into the sessions folder, or print the table with --test.

    Sessions that failed or are incomplete have a row like others. Return the exit status. Raises UsageError.
    """
    folder = settings.sessionsfolder
    all_sessions = sessions_in(folder)
    sessions = [path for path in all_sessions if _is_chosen(settings, SessionFolder(path))]
    if not sessions and settings.check is Check.ANY:
        reason = f"The labels name no session in {folder}" if all_sessions else f"There is no session in {folder}"
        print(f"{reason} (with --check=no this is not an error).")
        return int(ExitStatus.NOTHING_READY)
    if settings.test:
        print(as_tsv(study_of(map(SessionFolder, sessions), data_sets=existing_data_sets(folder)).rows), end="")
        return int(ExitStatus.OK)
    try:
        study = write_study(folder, sessions)
    except OSError as error:
        raise UsageError(
            f"Cannot write {error_text(error, folder)}.",
            "Make the sessions folder writable.",
            ExitStatus.CANNOT_WRITE,
        ) from None
    if not settings.quiet:
        print(
            "\n".join(
                [
                    f"{folder / STUDY_TABLE}: {len(sessions)} session{'s' * (len(sessions) != 1)}",
                    *difference_lines(study.rows),
                ]
            )
        )
    return int(ExitStatus.OK)


def _is_chosen(settings: Settings, folder: SessionFolder) -> bool:
    if not (settings.participant_labels or settings.session_labels):
        return True
    summary = folder.readable_summary
    session = SessionId(folder.subject or folder.id, summary.session.session if summary else None)
    return not label_reason(settings, session)
