"""`qxbatch report`: rebuilds the pages of sessions from their summaries, and the page, table and sidecar of a study."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from qxbatch.commands.chosen_sessions import chosen_sessions
from qxbatch.commands.option_values import is_yes
from qxbatch.commands.session_page import write_session_page
from qxbatch.exits import ExitStatus
from qxbatch.os_error import error_text
from qxbatch.pipeline.study_level import write_study
from qxbatch.problems import UsageError
from qxbatch.report.study import difference_lines
from qxbatch.session.contents import is_session
from qxbatch.session.folder import SessionFolder
from qxbatch.session.layout import PAGE, STUDY_SIDECAR, STUDY_TABLE
from qxbatch.study.exports import existing_data_sets
from qxbatch.study.study import study_of
from qxbatch.visible import one_line


def run(options: Mapping[str, object]) -> int:
    """Write the pages, or with --test only name them; return the exit status. Raises UsageError."""
    names = options["<folder>"]
    assert isinstance(names, list)
    test = is_yes(options, "test")
    outputs: list[Path] = []
    problems: list[str] = []
    differences: list[str] = []
    try:
        for name in names:
            sessions = chosen_sessions([name])
            for session in sessions:
                write_session_page(session, outputs, problems, test=test)
            if not is_session(Path(name)):
                folder = sessions[0].parent
                outputs += [folder / PAGE, folder / STUDY_TABLE, folder / STUDY_SIDECAR]
                folders, data_sets = map(SessionFolder, sessions), existing_data_sets(folder)
                study = study_of(folders, data_sets=data_sets) if test else write_study(folder, sessions)
                differences += difference_lines(study.rows)
    except OSError as error:
        hint = "Make it writable."
        raise UsageError(f"Cannot write {error_text(error)}.", hint, ExitStatus.CANNOT_WRITE) from None
    _print_result(outputs, problems, differences, test=test, as_json=bool(options["--json"]))
    return int(ExitStatus.FAILED if problems else ExitStatus.OK)


def _print_result(
    outputs: Sequence[Path], problems: Sequence[str], differences: Sequence[str], *, test: bool, as_json: bool
) -> None:
    if as_json:
        print(
            json.dumps({"written": [str(path) for path in outputs], "test": test, "problems": list(problems)}, indent=1)
        )
        return
    for path in outputs:
        print(f"{'would write' if test else 'wrote'} {one_line(str(path))}")
    for text in problems:
        print(f"page not written: {one_line(text)}")
    for text in differences:
        print(text)
