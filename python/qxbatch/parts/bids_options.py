"""The words of `qxbatch bids`, read once."""

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, TypeVar

from qxbatch.bids.sidecars.intended_for import IntendedFor
from qxbatch.bids.tables.shifts import FILE
from qxbatch.bids.write.placing import Link
from qxbatch.problems import UsageError
from qxbatch.settings.lists import split
from qxbatch.settings.logfile import logfile_spec
from qxbatch.settings.model import LogfileSpec
from qxbatch.settings.paths import absolute

PRINTED = ""
"""`--plan` without a file."""


class BidsOptions(NamedTuple):
    """What is asked for."""

    sessionsfolder: Path
    dataset: Path
    rules: Path | None
    init: Path | None
    plan: Path | str | None
    """A table to read, PRINTED to print one, None."""
    explain: tuple[str, str] | None
    sessions: tuple[str, ...]
    link: Link
    intended_for: IntendedFor
    shift_table: Path | None
    logfile: LogfileSpec | None
    columns: tuple[str, ...]
    sourcedata: bool
    keep_identifying: bool
    validate: bool
    overwrite: bool
    test: bool
    json: bool


def read_options(options: Mapping[str, object]) -> BidsOptions:
    """Return what is asked for. Raises UsageError."""
    folder = Path(os.path.abspath(str(options["<sessionsfolder>"])))  # noqa: PTH100 - links in a session's path stay
    found = BidsOptions(
        sessionsfolder=folder,
        dataset=Path(os.path.realpath(str(options["<bidsdir>"]))),
        rules=_file(options, "--rules"),
        init=_file(options, "--init"),
        plan=_plan(options),
        explain=_explain(options),
        sessions=split(str(options["--sessions"] or "")),
        link=_one_of(options, "--link", Link, Link.AUTO),
        intended_for=_one_of(options, "--intended-for", IntendedFor, IntendedFor.URI),
        shift_table=(_file(options, "--shift-table") or folder / FILE) if options["--shift-dates"] else None,
        logfile=logfile_spec(str(options["--logfile"])) if options["--logfile"] else None,
        columns=split(str(options["--participant-columns"] or "")),
        sourcedata=bool(options["--sourcedata"]),
        keep_identifying=bool(options["--keep-identifying"]),
        validate=bool(options["--validate"]),
        overwrite=_is_yes(options, "--overwrite"),
        test=_is_yes(options, "--test"),
        json=bool(options["--json"]),
    )
    _check(found, options)
    return found


def _check(found: BidsOptions, options: Mapping[str, object]) -> None:
    if found.init is None and found.rules is None:
        hint = "Propose one first: qxbatch bids SESSIONSFOLDER BIDSDIR --init=rules.toml"
        raise UsageError("--rules is missing: the file that decides every series.", hint)
    _check_deeds(found)
    if bool(found.columns) != (found.logfile is not None):
        lacking = "--participant-columns" if found.logfile else "--logfile"
        hint = "Write --logfile='path:FILE|packet_name:COLUMN|subject_id:COLUMN' --participant-columns=age,group."
        raise UsageError(f"{lacking} is missing: both together fill participants.tsv.", hint)
    _check_shifts(found, options)


def _check_deeds(found: BidsOptions) -> None:
    """Refuse several things that are asked for in place of an export, and options that they do not have."""
    deeds = [
        name
        for name, asked in (
            ("--init", found.init),
            ("--plan", found.plan == PRINTED or None),
            ("--explain", found.explain),
        )
        if asked is not None
    ]
    if len(deeds) > 1:
        raise UsageError(f"{deeds[0]} and {deeds[1]} are given.", "Give one of them.")
    if deeds and found.json:
        raise UsageError(f"{deeds[0]} and --json are given.", "Leave one of them out: --json describes an export.")
    if found.test and found.validate:
        deeds = [*deeds, "--test"]
    if deeds and found.validate:
        raise UsageError(f"{deeds[0]} exports nothing, so there is nothing to --validate.", "Leave one of them out.")


def _check_shifts(found: BidsOptions, options: Mapping[str, object]) -> None:
    if options["--shift-table"] and not options["--shift-dates"]:
        raise UsageError("--shift-table is given without --shift-dates.", "Add --shift-dates.")
    if found.shift_table is not None:
        if found.sourcedata:
            hint = "Leave one of them out: the headers of DICOM contain the true dates."
            raise UsageError("--sourcedata and --shift-dates are given.", hint)
        if found.keep_identifying:
            raise UsageError(
                "--keep-identifying and --shift-dates are given.", "Leave one of them out: dates identify."
            )
        if found.shift_table.is_relative_to(found.dataset):
            raise UsageError(f"{found.shift_table} is in the data set.", "Keep the table of shifts outside of it.")


def _plan(options: Mapping[str, object]) -> Path | str | None:
    given = options["--plan"]
    if given is None:
        return None
    return PRINTED if str(given).casefold() == "yes" else absolute("--plan", str(given))


def _explain(options: Mapping[str, object]) -> tuple[str, str] | None:
    if options["--explain"] is None:
        return None
    words = str(options["--explain"]).rsplit(",", 1)
    if len(words) != 2 or not all(words):  # noqa: PLR2004 - a session and a series
        raise UsageError("--explain needs a session and a series.", "Write --explain S012 7.")
    return words[0], words[1]


def _file(options: Mapping[str, object], name: str) -> Path | None:
    return absolute(name, str(options[name])) if options[name] else None


Choice = TypeVar("Choice", bound=StrEnum)


def _one_of(options: Mapping[str, object], name: str, choices: type[Choice], default: Choice) -> Choice:
    given = str(options[name] or default)
    if given not in {each.value for each in choices}:
        raise UsageError(f"{name}={given} is not known.", f"Give one of: {', '.join(each.value for each in choices)}.")
    return choices(given)


def _is_yes(options: Mapping[str, object], name: str) -> bool:
    given = str(options[name] or "no").casefold()
    if given not in ("yes", "true", "no", "false"):
        raise UsageError(f"{name}={options[name]} is not known.", "Give one of: yes, no.")
    return given in ("yes", "true")
