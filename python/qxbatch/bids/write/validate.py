"""The official BIDS validator, run offline on a data set."""

import json
import re
import subprocess
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from shutil import which
from typing import Any, NamedTuple

from qxbatch.exits import ExitStatus
from qxbatch.problems import UsageError
from qxbatch.visible import one_line, shell_word

PROGRAM = "bids-validator-deno"
_INSTALL = "python -m pip install 'qxbatch[bids]'"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_TIME_LIMIT = 6 * 3600
"""In seconds."""


class Issue(NamedTuple):
    """An error that the validator reports."""

    code: str
    """Code and, if it has one, subcode after a dot."""
    path: str
    """As the validator writes it; empty if the error has no path."""
    text: str


class ValidatorResult(NamedTuple):
    """The result of the validator."""

    errors: tuple[Issue, ...]
    warning_count: int
    validator: str
    """The version of its schema, else its name."""


def find_validator() -> str:
    """Return the path of the validator. Raises UsageError with the command that installs it."""
    beside = Path(sysconfig.get_path("scripts"), PROGRAM)
    path = str(beside) if beside.is_file() else which(PROGRAM)
    if path is None:
        raise UsageError("The BIDS validator is not installed.", f"Install it: {_INSTALL}", ExitStatus.UNAVAILABLE)
    return path


def validate(dataset: Path, program: str) -> ValidatorResult:
    """Run the validator. Raises UsageError if it returns no result."""
    command = [program, "--format", "json", "--no-color", str(dataset)]
    try:
        process = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_TIME_LIMIT,
            encoding="utf-8",
            errors="replace",
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise _no_result(str(error), command) from None
    try:
        content = json.loads(process.stdout)
        issues = content["issues"]["issues"]
    except (ValueError, KeyError, TypeError):
        words = next(
            (line for line in _COLOUR.sub("", process.stderr).splitlines() if line.strip()), "it printed nothing"
        )
        raise _no_result(words, command) from None
    return ValidatorResult(
        _errors(issues), sum(each.get("severity") == "warning" for each in issues), _version(content)
    )


def _no_result(reason: str, command: Sequence[str]) -> UsageError:
    hint = f"Run it in a terminal: {' '.join(map(shell_word, command))}"
    return UsageError(f"The BIDS validator gave no result: {one_line(reason)}.", hint, ExitStatus.UNAVAILABLE)


def _errors(issues: Sequence[dict[str, Any]]) -> tuple[Issue, ...]:
    errors = []
    for issue in issues:
        if issue.get("severity") == "error":
            code = ".".join(str(code) for code in (issue.get("code"), issue.get("subCode")) if code)
            text = " ".join(str(issue.get("issueMessage") or "").split())
            errors.append(Issue(code, str(issue.get("location") or ""), text))
    return tuple(errors)


def _version(content: dict[str, Any]) -> str:
    """Return the version of the schema that the validator used; the name of the validator if it does not say."""
    summary = content.get("summary")
    version = summary.get("schemaVersion") if isinstance(summary, dict) else None
    return f"BIDS schema {version}" if version else PROGRAM
