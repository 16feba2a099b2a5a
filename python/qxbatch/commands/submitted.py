"""What `jobs`, `resume` and `cancel` have in common: they find the submissions of a sessions folder, and print warnings.

Also two messages of `resume` alone.
"""

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from qxbatch.cluster.submission import Submission, read_submissions
from qxbatch.counted import counted
from qxbatch.exits import ExitStatus
from qxbatch.problems import UsageError
from qxbatch.settings.folders import find_folders
from qxbatch.settings.paths import absolute_form
from qxbatch.settings.values import Values
from qxbatch.visible import one_line


def submissions_in(name: object) -> tuple[Path, list[Submission]]:
    """Return the sessions folder and its readable submissions; print a warning for each of the others.

    Raises UsageError if there are none, or if none can be read.
    """
    text = os.fspath(absolute_form(str(name)))  # an empty one would be the default of the parameter
    folder = find_folders(Values({"sessionsfolder": text})).sessionsfolder
    unreadable: list[UsageError] = []
    submitted = read_submissions(folder, unreadable.append)
    if unreadable and not submitted:
        raise unreadable[0]
    print_warnings(map(str, unreadable))
    if not submitted:
        raise UsageError(
            f"Nothing was submitted in {folder}.",
            "`qxbatch FOLDER --scheduler=SLURM` submits an import.",
            ExitStatus.NOTHING_READY,
        )
    return folder, submitted


def print_warnings(texts: Iterable[str]) -> None:
    """Print on standard error why something about submissions is unknown or was not done."""
    for text in texts:
        print(one_line(text), file=sys.stderr)


def print_not_resubmitted(sessions: Sequence[str]) -> None:
    """Print which failed sessions are not submitted again, if there are any."""
    if sessions:
        verb = "is" if len(sessions) == 1 else "are"
        print(
            f"{counted(len(sessions), 'failed session')} {verb} published and not submitted again: {_names(sessions)}."
        )


def print_refused(sessions: Sequence[str]) -> None:
    """Print on standard error which sessions are not submitted again because an import refuses their packets, if there are any."""
    if sessions:
        text = f"not submitted again, since their packets are refused: {_names(list(dict.fromkeys(sessions)))}"
        print(f"{text}. To see the reasons, import them without --scheduler and with --test.", file=sys.stderr)


def _names(sessions: Sequence[str]) -> str:
    return one_line(", ".join(sessions[:5]) + (" ..." if len(sessions) > 5 else ""))  # noqa: PLR2004 - named
