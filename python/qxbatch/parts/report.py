"""`qxbatch report`: the pages of sessions made anew from their summaries, and the page of a study."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from qxbatch.exits import ExitStatus
from qxbatch.os_error import error_text
from qxbatch.page.session import session_page
from qxbatch.page.study import Entry, study_page
from qxbatch.parts.pictures import pictures_of
from qxbatch.parts.places import chosen_sessions
from qxbatch.problems import UsageError
from qxbatch.publish.durable import replaced_text
from qxbatch.report.study import Row, differing, study_rows
from qxbatch.session.contents import is_session
from qxbatch.session.folder import SessionFolder
from qxbatch.session.layout import OWN_SUMMARY, PAGE
from qxbatch.session.summary import SummaryError
from qxbatch.visible import one_line


def run(options: Mapping[str, object]) -> int:
    """Write the pages; return the exit status. Raises UsageError."""
    given = options["<folder>"]
    assert isinstance(given, list)
    test = str(options["--test"] or "no").casefold() in ("yes", "true")
    written: list[Path] = []
    wrong: list[str] = []
    different: list[str] = []
    try:
        for name in given:
            sessions = chosen_sessions([name])
            for session in sessions:
                _write_session(session, written, wrong, test=test)
            if not is_session(Path(os.path.abspath(name))):  # noqa: PTH100 - as the sessions were found
                page = sessions[0].parent / PAGE
                written.append(page)
                rows = study_rows(map(SessionFolder, sessions))
                different += differing(rows)
                if not test:
                    entries = [_entry(session, row) for session, row in zip(sessions, rows, strict=True)]
                    replaced_text(page, study_page(page.parent.name, entries))
    except OSError as error:
        hint = "Make it writable."
        raise UsageError(f"Cannot write {error_text(error)}.", hint, ExitStatus.CANNOT_WRITE) from None
    _say(written, wrong, different, test=test, told=bool(options["--json"]))
    return int(ExitStatus.FAILED if wrong else ExitStatus.OK)


def _write_session(session: Path, written: list[Path], wrong: list[str], *, test: bool) -> None:
    folder = SessionFolder(session)
    try:
        summary = folder.summary
    except (SummaryError, OSError) as error:
        wrong.append(error_text(error))
        return
    if summary is None:
        wrong.append(f"{session}: it has no {OWN_SUMMARY}; `qxbatch convert --overwrite` makes one")
        return
    page = folder.paths.page
    written.append(page)
    if not test:
        pictures = pictures_of(folder.paths, summary.images)
        replaced_text(page, session_page(summary, pictures))


def _entry(session: Path, row: Row) -> Entry:
    page = SessionFolder(session).paths.page
    exists = os.path.exists(page)  # noqa: PTH110 - False where it is closed
    link = page.relative_to(session.parent).as_posix() if exists else ""
    return Entry(row.cells, link, row.words)


def _say(written: Sequence[Path], wrong: Sequence[str], different: Sequence[str], *, test: bool, told: bool) -> None:
    if told:
        print(json.dumps({"written": [str(path) for path in written], "test": test, "problems": list(wrong)}, indent=1))
        return
    for path in written:
        print(f"{'would write' if test else 'wrote'} {one_line(str(path))}")
    for text in wrong:
        print(f"without a page: {one_line(text)}")
    for text in different:
        print(text)
