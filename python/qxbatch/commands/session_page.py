"""Rebuilds the page of one session from its summary and its files."""

from contextlib import ExitStack
from pathlib import Path

from qxbatch.commands.opened_session import REFUSALS, OpenedSession, opened_session
from qxbatch.commands.pictures import add_pictures
from qxbatch.commands.session_locking import session_lock
from qxbatch.commands.summary_link import broken_link_problem
from qxbatch.os_error import error_text
from qxbatch.page.session import session_page
from qxbatch.publish.foreign import NewText, write_texts
from qxbatch.session.folder import SessionFolder
from qxbatch.session.layout import QXBATCH_FOLDER, SUMMARY_AT
from qxbatch.session.page_checksum import is_unchanged_page
from qxbatch.session.paths import SessionPaths
from qxbatch.session.sorted_sums import updated_sums
from qxbatch.session.summary import Summary, SummaryError
from qxbatch.visible import shell_word


def write_session_page(session: Path, outputs: list[Path], problems: list[str], *, test: bool) -> None:
    """Write the page and missing pictures; add the page to `outputs`, or the reason why it is not written to `problems`.

    A session that is a link is a problem. With `test`, nothing is written or locked. Otherwise the lock of the session is held
    while it is read and written: an import could replace the session after its summary was read.

    Raises OSError, and UsageError when the sessions folder cannot be written.
    """
    if test or session.is_symlink():
        _write_page(session, outputs, problems, None)
        return
    with session_lock(session) as refusal, ExitStack() as stack:
        if refusal is not None:
            problems.append(refusal.problem or f"{session}: is held by another run; its page was not changed")
            return
        try:
            opened = stack.enter_context(opened_session(session))
        except OSError as error:
            problems.append(error_text(error))
            return
        try:
            _write_page(session, outputs, problems, opened)
        except REFUSALS as error:
            problems.append(error_text(error))


def _write_page(session: Path, outputs: list[Path], problems: list[str], opened: OpenedSession | None) -> None:
    """Write the page to the opened session as `write_session_page` does; if it is None, write nothing."""
    folder = SessionFolder(session)
    try:
        summary = folder.summary
    except (SummaryError, OSError) as error:
        problems.append(error_text(error))
        return
    if summary is None:
        missing = f"{session}: {SUMMARY_AT} is missing. Create it: qxbatch inspect --update {shell_word(str(session))}"
        problems.append(broken_link_problem(folder) or missing)
        return
    paths = folder.paths
    linked = next((path for path in (session, paths.qxbatch_folder, paths.pictures) if path.is_symlink()), None)
    if linked is not None:
        problems.append(f"{linked}: is a link, and qxbatch does not write to the target of a link")
        return
    if opened is not None:
        _write_files(paths, summary, opened)
    outputs.append(paths.page)


def _write_files(paths: SessionPaths, summary: Summary, opened: OpenedSession) -> None:
    add_pictures(paths, summary, opened)
    page, text = paths.page, session_page(paths, summary)
    checksums = updated_sums(paths, {page: text})
    with opened.opened_for_writing(QXBATCH_FOLDER) as folder:
        write_texts([NewText(folder.descriptor_path / page.name, text, is_unchanged_page, visible_path=page)])
    for path, content in checksums.items():
        opened.replace_text(path.relative_to(paths.folder), content)
