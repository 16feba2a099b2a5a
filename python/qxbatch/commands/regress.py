"""`qxbatch regress`: imports regression sets again and compares them with their expectations (docs/regression.md)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from qxbatch.counted import counted
from qxbatch.exits import ExitStatus
from qxbatch.problems import UsageError
from qxbatch.regress.run import Outcome, import_and_compare
from qxbatch.regress.sets import RegressionSet, find_sets, write_expected
from qxbatch.report.output_files import check_output_folder
from qxbatch.settings.paths import absolute_form

QUICK_SIZE = 16 * 2**20
"""Maximum bytes of the packets of a set that --quick imports."""


def run(options: Mapping[str, object]) -> int:
    """Check the sets in the named folders, and with --update record their results; return the exit status. Raises UsageError."""
    names = options["<folder>"]
    assert isinstance(names, list)
    procs, update, as_json = options.get("--n-procs"), bool(options["--update"]), bool(options["--json"])
    sets = [regression_set for name in names for regression_set in find_sets(_folder(str(name)))]
    large = [regression_set for regression_set in sets if options["--quick"] and size(regression_set) > QUICK_SIZE]
    skipped = [regression_set.name for regression_set in large]
    if update:
        for regression_set in sets:
            check_output_folder(regression_set.expected_file.parent, [])
    outcomes = []
    for regression_set in sets:
        if regression_set in large:
            continue
        outcome = import_and_compare(regression_set, (f"--n-procs={procs}",) if procs else ())
        if update and outcome.observed and (outcome.is_new or outcome.differences):
            write_expected(regression_set.expected_file, outcome.observed)
        outcomes.append(outcome)
        if not as_json:
            print(as_text(outcome, updated=update and bool(outcome.observed)), flush=True)
    if as_json:
        print(json.dumps({"sets": [asdict(outcome) for outcome in outcomes], "skipped": skipped}, indent=1))
    else:
        print(
            "".join(f"{name}: SKIPPED by --quick: its packets have more than 16 MiB in total\n" for name in skipped),
            end="",
        )
        verb = "is" if len(sets) == 1 else "are"
        print(f"{sum(map(is_as_expected, outcomes))} of {counted(len(sets), 'set')} {verb} as expected.")
    return int(exit_status(outcomes, update=update))


def exit_status(outcomes: Sequence[Outcome], *, update: bool) -> ExitStatus:
    """Return the exit status: 66 if no set that was checked has an expectation, 1 if some set differs or has none.

    With `update`, 66 only if no set was checked, and a set does not fail if its results were recorded.
    """
    if not outcomes or (not update and all(outcome.is_new for outcome in outcomes)):
        return ExitStatus.NOTHING_READY
    unmet = [outcome for outcome in outcomes if not is_as_expected(outcome) and not (update and outcome.observed)]
    return ExitStatus.FAILED if unmet else ExitStatus.OK


def size(regression_set: RegressionSet) -> int:
    """Return the bytes of a set's packets: of `only_packet`, or if that is empty, of all in the folder `packets`."""
    top = regression_set.packets_folder / regression_set.only_packet
    files = [top] if top.is_file() else [path for path in top.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files)


def _folder(name: str) -> Path:
    if not absolute_form(name).is_dir():
        raise UsageError(f"{name} is not a folder.", "Name a folder of regression sets: docs/regression.md.")
    return Path(name)


def is_as_expected(outcome: Outcome) -> bool:
    """Return whether a set has an expectation and meets it."""
    return not outcome.is_new and not outcome.differences


def as_text(outcome: Outcome, *, updated: bool) -> str:
    """Return a line for the set, and one for each difference. `updated`: whether results that differ or are new were recorded."""
    if outcome.is_new:
        state = (
            "expectation written; read it before you trust it" if updated else "no expectation yet: --update writes it"
        )
    elif outcome.differences:
        state = counted(len(outcome.differences), "difference") + (", expectation rewritten" if updated else "")
    else:
        state = "as expected"
    return "\n".join([f"{outcome.name}: {state}", *(f"  {line}" for line in first_lines(outcome.differences))])


def first_lines(lines: Sequence[str], most: int = 200) -> list[str]:
    """Return at most `most` of the lines, and how many more there are."""
    return [*lines[:most], *([f"... and {len(lines) - most} more"] if len(lines) > most else [])]
