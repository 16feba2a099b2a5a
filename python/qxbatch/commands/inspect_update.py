"""`qxbatch inspect --update`: computes the facts of sessions from their sorted DICOM, and stores those that changed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from qxbatch.commands.chosen_sessions import chosen_sessions
from qxbatch.commands.inspect_resources import Resources, print_problems
from qxbatch.commands.inspect_session import images_by_series, sorted_series
from qxbatch.commands.inspect_stored import changed_texts
from qxbatch.commands.opened_session import REFUSALS, OpenedSession, opened_session
from qxbatch.commands.option_values import is_yes
from qxbatch.commands.session_locking import cannot_write, session_lock
from qxbatch.commands.summary_link import broken_link_problem
from qxbatch.exits import ExitStatus
from qxbatch.os_error import error_text
from qxbatch.session.folder import SessionFolder
from qxbatch.session.layout import DICOM, SUMMARY_AT
from qxbatch.session.summary import SummaryError
from qxbatch.visible import one_line


@dataclass(frozen=True)
class UpdateResult:
    """The result for one session."""

    session: Path
    series: int = 0
    """Number of series in the `dicom` of the session."""
    written: tuple[str, ...] = ()
    """Files that were written, or would be."""
    problems: tuple[str, ...] = ()
    is_held: bool = False
    """Whether another run has the lock of the session."""


def update_sessions(paths: Sequence[Path], options: Mapping[str, object], resources: Resources) -> int:
    """Store the facts of sessions; return the exit status. Raises UsageError."""
    test = is_yes(options, "test")
    sessions = chosen_sessions([str(path) for path in paths])
    results = resources.run_interruptible(lambda: [_update(session, resources, test=test) for session in sessions])
    _report(results, options, test=test)
    if results and all(result.is_held for result in results):
        return int(ExitStatus.HELD)
    return int(ExitStatus.FAILED if any(result.problems or result.is_held for result in results) else ExitStatus.OK)


def _report(results: Sequence[UpdateResult], options: Mapping[str, object], *, test: bool) -> None:
    if options["--json"]:
        print(json.dumps({"sessions": [_value(result) for result in results], "test": test}, indent=1))
    else:
        for result in results:
            if result.series:
                files = ", ".join(result.written)
                verb = "would write" if test else "wrote"
                state = f"{verb} {files}" if files else "its facts are up to date"
                print(f"{one_line(str(result.session))}: {result.series} series, {state}")
    print_problems(
        f"{result.session}: is held by another run; nothing was changed" for result in results if result.is_held
    )
    print_problems(problem for result in results for problem in result.problems)


def _value(result: UpdateResult) -> dict[str, object]:
    """Return the JSON value of a result."""
    return {
        "session": str(result.session),
        "series": result.series,
        "written": result.written,
        "problems": result.problems,
        "held": result.is_held,
    }


def _update(session: Path, resources: Resources, *, test: bool) -> UpdateResult:
    """Store the facts of one session, unless another run works on it, or the session is a link."""
    if session.is_symlink():  # it may be a session of another study, whose runs have other locks
        return UpdateResult(
            session, problems=(f"{session}: is a link, and qxbatch does not write to the target of a link",)
        )
    try:
        if test:
            return _write(session, resources, None)
        with session_lock(session) as refusal:
            if refusal is not None:
                return UpdateResult(session, problems=tuple(filter(None, [refusal.problem])), is_held=refusal.is_held)
            with opened_session(session) as opened:
                return _write(session, resources, opened)
    except SummaryError as error:
        return UpdateResult(session, problems=(str(error),))
    except OSError as error:
        return UpdateResult(session, problems=(error_text(error, session),))


def _write(session: Path, resources: Resources, opened: OpenedSession | None) -> UpdateResult:
    """Compute the facts of a session, and write the files that change; if `opened` is None, only name these files."""
    folder = SessionFolder(session)
    problem = broken_link_problem(folder)
    if problem:
        return UpdateResult(session, problems=(problem,))
    source = sorted_series(session, resources, images_by_series(folder))
    if not source.series:
        return UpdateResult(session, problems=source.problems or (f"{session}: nothing is sorted in its {DICOM}",))
    numbers = {series.n for series in source.series}
    missing = tuple(
        f"{session}: series {series.n} is in {SUMMARY_AT}, but not in {DICOM}: its facts stay as they are"
        for series in folder.series
        if series.n not in numbers
    )
    names = []
    for path, text in changed_texts(folder, source.series).items():
        names.append(path.relative_to(session).as_posix())
        if opened is not None:
            _replace(opened, path.relative_to(session), text)
    return UpdateResult(session, len(source.series), tuple(names), (*source.problems, *missing))


def _replace(session: OpenedSession, file: Path, text: str) -> None:
    try:
        session.replace_text(file, text)
    except REFUSALS:
        raise
    except OSError as error:
        raise cannot_write(error) from None
