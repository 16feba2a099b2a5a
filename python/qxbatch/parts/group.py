"""The BIDS-App level `group`: the table of the study, from the sessions' own summaries."""

from qxbatch.discover.filters import by_label
from qxbatch.exits import ExitStatus
from qxbatch.model import SessionId
from qxbatch.os_error import error_text
from qxbatch.parts.places import sessions_in
from qxbatch.problems import UsageError
from qxbatch.publish.durable import replaced_text
from qxbatch.report.study import Row, as_json, as_tsv, differing, study_rows
from qxbatch.session.folder import SessionFolder
from qxbatch.session.layout import STUDY_SIDECAR, STUDY_TABLE
from qxbatch.settings.model import Check, Settings


def run(settings: Settings) -> int:
    """Write `study.tsv` and `study.json` into the sessions folder; return the exit status.

    A session that failed or is incomplete is a row like others: the table is no judgement. Raises UsageError.
    """
    folder = settings.sessionsfolder
    rows = [row for row in study_rows(map(SessionFolder, sessions_in(folder))) if _wanted(settings, row)]
    if not rows and settings.check is Check.ANY:
        print(f"There is no session in {folder} (--check=no makes this no error).")
        return int(ExitStatus.NOTHING_READY)
    if settings.test:
        print(as_tsv(rows), end="")
        return int(ExitStatus.OK)
    try:
        replaced_text(folder / STUDY_TABLE, as_tsv(rows))
        replaced_text(folder / STUDY_SIDECAR, as_json(rows))
    except OSError as error:
        raise UsageError(
            f"Cannot write {error_text(error, folder)}.",
            "Make the sessions folder writable.",
            ExitStatus.CANNOT_WRITE,
        ) from None
    if not settings.quiet:
        print("\n".join([f"{folder / STUDY_TABLE}: {len(rows)} sessions", *differing(rows)]))
    return int(ExitStatus.OK)


def _wanted(settings: Settings, row: Row) -> bool:
    session = row.cells["session"]
    subject = str(row.cells["subject"] or row.session)
    return not by_label(settings, SessionId(subject, None if session is None else str(session)))
