"""Imports a set's packets into a separate folder by the real command, and compares the result with the expectation."""

import json
import os
import shutil
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
from qxbatch.regress.sets import RegressionSet, read_expected
from qxbatch.session.layout import MASTER_INBOX

KNOWN = "reference_differs"


@dataclass(frozen=True)
class Outcome:
    """What became of one set."""

    name: str
    differences: tuple[str, ...]
    found: dict[str, Any]
    new: bool
    """There is no expectation yet."""


def check(one: RegressionSet, options: Sequence[str] = (), also: Callable[[Path], None] | None = None) -> Outcome:
    """Run a set and compare. `also` is called with the sessions folder before it is removed. Raises UsageError."""
    expected = read_expected(one.expected)
    if one.present() is None:
        return Outcome(one.name, (f"{one.packets / one.only} is not there, its expectation is",), {}, False)
    with tempfile.TemporaryDirectory(prefix="qxbatch-regress-") as folder:
        sessions = Path(folder) / "study" / "sessions"
        try:
            lay_out(one, sessions / MASTER_INBOX)
            found = observe(sessions, import_packets(sessions, (*one.options, *options)))
        except (OSError, ValueError, LookupError) as error:
            return Outcome(one.name, (f"the run or its outputs: {error_text(error)}",), {}, False)
        if also is not None:
            also(sessions)
    known = dict(expected.get(KNOWN, {})) if expected else {}
    if known:
        found[KNOWN] = known
    lines = list(differences(expected, found)) if expected is not None else []
    if one.reference is not None:
        lines += reference_differences(one.reference, found, known)
    return Outcome(one.name, tuple(lines), found, expected is None)


def lay_out(one: RegressionSet, inbox: Path) -> None:
    """Put a set's packets into an inbox, by hard link where that can be done: the set itself is never touched."""
    inbox.mkdir(parents=True)
    for path in [one.packets / one.only] if one.only else sorted(one.packets.iterdir()):
        _copy(path, inbox / path.name)


def _copy(source: Path, target: Path) -> None:
    """Copy folders, links and files, but not what a folder's owner may do in it: a packet has to be moved."""
    if source.is_symlink() or not source.is_dir():
        with suppress(OSError):
            os.link(source, target, follow_symlinks=False)
            return
        shutil.copy2(source, target, follow_symlinks=False)
        return
    target.mkdir()
    for path in sorted(source.iterdir()):
        _copy(path, target / path.name)


def import_packets(sessions: Path, options: Sequence[str]) -> dict[str, Any]:
    """Import what waits, by the real command in a separate process; return the run's summary.

    Raises UsageError where the set's options are wrong, ValueError where the run ended without a summary.
    """
    run_summary = sessions.parent / "run.json"
    command = [sys.executable, "-m", "qxbatch", str(sessions), "--quiet", f"--json-file={run_summary}", *options]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode == ExitStatus.USAGE:
        raise UsageError(f"The import ended with 64: {done.stderr.strip()}", "See the set's options.toml.")
    if not run_summary.is_file():
        raise ValueError(f"it ended with {done.returncode} and without a summary: {done.stderr.strip()}")
    summary: dict[str, Any] = json.loads(run_summary.read_text(encoding="utf-8"))
    return summary
