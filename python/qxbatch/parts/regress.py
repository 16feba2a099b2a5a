"""`qxbatch regress`: regression sets are imported anew and held against their expectations (docs/regression.md)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from qxbatch.exits import ExitStatus
from qxbatch.problems import UsageError
from qxbatch.regress.run import Outcome, check
from qxbatch.regress.sets import find_sets, write_expected


def run(options: Mapping[str, object]) -> int:
    """Check the sets in the folders named; with --update their expectations are written. Raises UsageError."""
    given = options["<folder>"]
    assert isinstance(given, list)
    sets = [one for name in given for one in find_sets(_folder(str(name)))]
    procs = options.get("--n-procs")
    outcomes = []
    for one in sets:
        outcome = check(one, (f"--n-procs={procs}",) if procs else ())
        if options["--update"] and (outcome.new or outcome.differences):
            write_expected(one.expected, outcome.found)
        outcomes.append(outcome)
        if not options["--json"]:
            print(as_text(outcome, updated=bool(options["--update"])), flush=True)
    if options["--json"]:
        print(json.dumps({"sets": [asdict(outcome) for outcome in outcomes]}, indent=1))
    else:
        print(f"{sum(map(good, outcomes))} of {len(outcomes)} sets are as expected.")
    return int(ExitStatus.OK if options["--update"] or all(map(good, outcomes)) else ExitStatus.FAILED)


def _folder(name: str) -> Path:
    folder = Path(name)
    if not folder.is_dir():
        raise UsageError(f"{name} is not a folder.", "Name a folder of regression sets: docs/regression.md.")
    return folder


def good(outcome: Outcome) -> bool:
    """Say whether a set has an expectation and meets it."""
    return not outcome.new and not outcome.differences


def as_text(outcome: Outcome, *, updated: bool) -> str:
    """Return a line for the set, and one for each difference."""
    if outcome.new:
        state = (
            "expectation written; read it before you trust it" if updated else "no expectation yet: --update writes it"
        )
    elif outcome.differences:
        state = f"{len(outcome.differences)} differences" + (", expectation written anew" if updated else "")
    else:
        state = "as expected"
    return "\n".join([f"{outcome.name}: {state}", *(f"  {line}" for line in shown(outcome.differences))])


def shown(lines: Sequence[str], most: int = 200) -> list[str]:
    """Return the lines, and how many more there are."""
    return [*lines[:most], *([f"... and {len(lines) - most} more"] if len(lines) > most else [])]
