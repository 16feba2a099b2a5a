"""Imports a set's packets into a temporary folder with the real command, and compares the result with the expectation."""

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qxbatch.exits import ExitStatus
from qxbatch.os_error import error_text
from qxbatch.problems import UsageError
from qxbatch.regress.compare import differences, reference_differences
from qxbatch.regress.observe import observe
from qxbatch.regress.sets import UNMATCHED_REFERENCES, RegressionSet, read_expected
from qxbatch.session.layout import MASTER_INBOX


@dataclass(frozen=True)
class Outcome:
    """The result of one set."""

    name: str
    """The name of the set."""
    differences: tuple[str, ...]
    """A line for each difference from the expectation or the reference images, or the reason why nothing could be compared."""
    observed: dict[str, Any]
    """The results of the run; empty if the packets do not exist, or if the run left no results that can be read."""
    is_new: bool
    """Whether there are results, but no expectation yet."""


def import_and_compare(
    regression_set: RegressionSet, options: Sequence[str] = (), before_removal: Callable[[Path], None] | None = None
) -> Outcome:
    """Import a set and compare the results with its expectation and its reference images. Raises UsageError.

    `options` are added to those of the set. If the outputs of the run can be read, `before_removal` is called with the sessions
    folder before the folder is removed.
    """
    expected = read_expected(regression_set.expected_file)
    if regression_set.existing_path() is None:
        return Outcome(
            regression_set.name,
            (f"{regression_set.packets_folder / regression_set.only_packet} does not exist, but its expectation does",),
            {},
            False,
        )
    with tempfile.TemporaryDirectory(prefix="qxbatch-regress-") as folder:
        sessions = Path(folder) / "study" / "sessions"
        try:
            fill_inbox(regression_set, sessions / MASTER_INBOX)
            observed = observe(sessions, run_import(sessions, (*regression_set.options, *options)))
        except (OSError, ValueError, LookupError) as error:
            return Outcome(regression_set.name, (f"the run or its outputs: {error_text(error)}",), {}, False)
        if before_removal is not None:
            before_removal(sessions)
    unmatched_references = dict(expected.get(UNMATCHED_REFERENCES, {})) if expected else {}
    if unmatched_references:  # also part of the expectation that --update writes
        observed[UNMATCHED_REFERENCES] = unmatched_references
    lines = list(differences(expected, observed)) if expected is not None else []
    if regression_set.reference_folder is not None:
        lines += reference_differences(regression_set.reference_folder, observed, unmatched_references)
    return Outcome(regression_set.name, tuple(lines), observed, expected is None)


def fill_inbox(regression_set: RegressionSet, inbox: Path) -> None:
    """Put a set's packets into an inbox, by hard link if possible. The import may remove them from there, not from the set.

    Raises OSError, and as `_copy` does.
    """
    inbox.mkdir(parents=True)
    folder, name = regression_set.packets_folder, regression_set.only_packet
    for path in [folder / name] if name else sorted(folder.iterdir()):
        _copy(path, inbox / path.name, (path if name else folder,))


def _copy(source: Path, target: Path, roots: tuple[Path, ...]) -> None:
    """Hard-link a file or symbolic link, else copy it; copy a folder without its mode, so that the import can move its files.

    `roots`: the folder or file that is copied, last, and those from which links led to it. A relative link out of it would lead
    nowhere from the inbox: what it leads to is copied in its place. Raises OSError, and ValueError if that does not exist or
    contains the link, and for a device, FIFO or socket.
    """
    if _leads_out(source, roots[-1]):
        real = _existing_target(source)
        if any(root.resolve().is_relative_to(real) for root in roots):
            raise ValueError(f"{source} is a link to a folder that contains it; remove it")
        _copy(real, target, (*roots, real))
        return
    if source.is_symlink() or not source.is_dir():
        _refuse_special(source)
        with suppress(OSError):
            os.link(source, target, follow_symlinks=False)
            return
        shutil.copy2(source, target, follow_symlinks=False)
        return
    target.mkdir()
    for path in sorted(source.iterdir()):
        _copy(path, target / path.name, roots)


def _refuse_special(path: Path) -> None:
    """Raise ValueError for a device, FIFO or socket: some have no end, and some wait for another program."""
    mode = path.lstat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        raise ValueError(f"{path} is neither a file, a folder nor a link")


def _leads_out(path: Path, root: Path) -> bool:
    """Return whether a path is a relative link out of a folder."""
    if not path.is_symlink():
        return False
    target = path.readlink()
    return not target.is_absolute() and not Path(os.path.normpath(path.parent / target)).is_relative_to(
        os.path.normpath(root)
    )


def _existing_target(link: Path) -> Path:
    try:
        return Path(os.path.realpath(link, strict=True))
    except FileNotFoundError:
        raise ValueError(f"{link} is a link to a file that is not here; get the file (`git annex get`)") from None


def run_import(sessions: Path, options: Sequence[str]) -> dict[str, Any]:
    """Import the packets with the real command in a separate process; return the run's summary.

    Raises UsageError if the set's options are wrong, ValueError if the run ended without a summary that can be read.
    """
    run_summary = sessions.parent / "run.json"
    # options.toml may be copied from a study, whose inbox is not that of the set
    places = (f"--masterinbox={sessions / MASTER_INBOX}", f"--json-file={run_summary}")
    status, errors = run_command([str(sessions), "--quiet", *places, *options])
    if status == ExitStatus.USAGE:
        raise UsageError(f"The import ended with 64: {errors.strip()}", "See the set's options.toml.")
    if not run_summary.is_file():
        raise ValueError(f"it ended with {status} and without a summary: {errors.strip()}")
    summary: dict[str, Any] = json.loads(run_summary.read_text(encoding="utf-8"))
    return summary


def run_command(words: Sequence[str]) -> tuple[int, str]:
    """Run qxbatch in a separate process; return its exit status and standard error."""
    command = [sys.executable, "-m", "qxbatch", *words]
    process = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return process.returncode, process.stderr
