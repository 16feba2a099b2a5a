"""The options of `qxbatch bids`, parsed once."""

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, TypeVar

from qxbatch.bids.sidecars.intended_for import IntendedForFormat
from qxbatch.bids.tables.shifts import SHIFT_TABLE_NAME
from qxbatch.bids.write.placing import LinkMode
from qxbatch.commands.option_values import is_yes
from qxbatch.discover.filters import matches_glob
from qxbatch.problems import UsageError
from qxbatch.report.output_files import check_output_files, default_study_paths
from qxbatch.session.contents import is_session
from qxbatch.settings.lists import split_list
from qxbatch.settings.logfile import logfile_spec
from qxbatch.settings.model import LogfileSpec
from qxbatch.settings.paths import absolute_form, absolute_path
from qxbatch.study.sessions import sessions_in

PRINT_PLAN = ""
"""The value of `plan` for `--plan` without a file: the plan is printed."""


class BidsOptions(NamedTuple):
    """The options of one call."""

    sessionsfolder: Path
    """The folder that the user names: a sessions folder, a session or a study folder. `run` replaces it by the sessions folder."""
    dataset: Path
    """The folder of the BIDS data set."""
    rules: Path | None
    """The rule file; None without --rules."""
    init: Path | None
    """The file in which rules are proposed (--init); None: no rules are proposed."""
    plan: Path | str | None
    """The table that decides the export; PRINT_PLAN: print such a table; None: the rules decide."""
    explain: tuple[str, str] | None
    """(session, series) whose decision is explained; None: no decision is explained."""
    sessions: tuple[str, ...]
    """Globs for the names of session folders; empty: all sessions."""
    link: LinkMode
    intended_for: IntendedForFormat
    shift_table: Path | None
    """The table of the days by which dates are shifted; None: dates are not shifted."""
    logfile: LogfileSpec | None
    """The table of an import from which `columns` are copied; None without --logfile."""
    columns: tuple[str, ...]
    """Columns of `logfile` for participants.tsv."""
    sourcedata: bool
    keep_identifying: bool
    validate: bool
    overwrite: bool
    test: bool
    json: bool


def read_options(options: Mapping[str, object]) -> BidsOptions:
    """Return the options of this call. Raises UsageError."""
    folder = absolute_form(str(options["<sessionsfolder>"]))
    bids_options = BidsOptions(
        sessionsfolder=folder,
        dataset=Path(os.path.realpath(str(options["<bidsdir>"]))),
        rules=_file(options, "--rules"),
        init=_file(options, "--init"),
        plan=_plan(options),
        explain=_explain(options),
        sessions=split_list(str(options["--sessions"] or "")),
        link=_one_of(options, "--link", LinkMode, LinkMode.AUTO),
        intended_for=_one_of(options, "--intended-for", IntendedForFormat, IntendedForFormat.URI),
        shift_table=(_file(options, "--shift-table") or _sessionsfolder_of(folder) / SHIFT_TABLE_NAME)
        if options["--shift-dates"]
        else None,
        logfile=logfile_spec(str(options["--logfile"])) if options["--logfile"] else None,
        columns=split_list(str(options["--participant-columns"] or "")),
        sourcedata=bool(options["--sourcedata"]),
        keep_identifying=bool(options["--keep-identifying"]),
        validate=bool(options["--validate"]),
        overwrite=is_yes(options, "overwrite"),
        test=is_yes(options, "test"),
        json=bool(options["--json"]),
    )
    _check(bids_options, options)
    return bids_options


def is_chosen(session: str, options: BidsOptions) -> bool:
    """Return whether --sessions names a session with this id; True without that option."""
    return not options.sessions or matches_glob(session, options.sessions)


def _check(bids_options: BidsOptions, options: Mapping[str, object]) -> None:
    if bids_options.init is None and bids_options.rules is None:
        hint = "Propose one first: qxbatch bids SESSIONSFOLDER BIDSDIR --init=rules.toml"
        raise UsageError("--rules is missing: the file that decides every series.", hint)
    _check_actions(bids_options)
    if bool(bids_options.columns) != (bids_options.logfile is not None):
        missing = "--participant-columns" if bids_options.logfile else "--logfile"
        hint = "Write --logfile='path:FILE|packet_name:COLUMN|subject_id:COLUMN' --participant-columns=age,group."
        raise UsageError(f"{missing} is missing: both together fill participants.tsv.", hint)
    _check_shifts(bids_options, options)


def _check_actions(bids_options: BidsOptions) -> None:
    """Raise UsageError for two of the actions --init, --plan (without a file) and --explain, which export nothing.

    Also for one of them with --json or --validate, and for --test with --validate.
    """
    actions = [
        name
        for name, value in (
            ("--init", bids_options.init),
            ("--plan", bids_options.plan == PRINT_PLAN or None),
            ("--explain", bids_options.explain),
        )
        if value is not None
    ]
    if len(actions) > 1:
        raise UsageError(f"{actions[0]} and {actions[1]} are given.", "Give one of them.")
    if actions and bids_options.json:
        raise UsageError(f"{actions[0]} and --json are given.", "Leave one of them out: --json describes an export.")
    if bids_options.test and bids_options.validate:
        actions = [*actions, "--test"]
    if actions and bids_options.validate:
        raise UsageError(f"{actions[0]} exports nothing, so there is nothing to --validate.", "Leave one of them out.")


def _check_shifts(bids_options: BidsOptions, options: Mapping[str, object]) -> None:
    if options["--shift-table"] and not options["--shift-dates"]:
        raise UsageError("--shift-table is given without --shift-dates.", "Add --shift-dates.")
    if bids_options.shift_table is not None:
        if bids_options.sourcedata:
            hint = "Leave one of them out: the headers of DICOM contain the true dates."
            raise UsageError("--sourcedata and --shift-dates are given.", hint)
        if bids_options.keep_identifying:
            raise UsageError(
                "--keep-identifying and --shift-dates are given.", "Leave one of them out: dates can identify a person."
            )
        if _is_in(bids_options.shift_table, bids_options.dataset):
            raise UsageError(
                f"{bids_options.shift_table} is in the data set.", "Keep the table of shifts outside of it."
            )
        check_output_files(
            {"--shift-table": bids_options.shift_table},
            [default_study_paths(_sessionsfolder_of(bids_options.sessionsfolder))],
        )


def _sessionsfolder_of(folder: Path) -> Path:
    """Return the folder of the sessions that `folder` names: `folder` itself, its parent if it is a session, or its `sessions`."""
    sessions = [folder] if is_session(folder) else sessions_in(folder)
    return sessions[0].parent if sessions else folder


def _is_in(path: Path, folder: Path) -> bool:
    """Return whether a path, or the target of a link there, is in a folder."""
    target = Path(os.path.realpath(path))
    return path.is_relative_to(folder) or target.is_relative_to(os.path.realpath(folder))


def _plan(options: Mapping[str, object]) -> Path | str | None:
    value = options["--plan"]
    if value is None:
        return None
    return PRINT_PLAN if str(value).casefold() == "yes" else absolute_path("--plan", str(value))


def _explain(options: Mapping[str, object]) -> tuple[str, str] | None:
    if options["--explain"] is None:
        return None
    words = str(options["--explain"]).rsplit(",", 1)  # the command line joins both values by a comma
    if len(words) != 2 or not all(words):  # noqa: PLR2004 - a session and a series
        raise UsageError("--explain needs a session and a series.", "Write --explain S012 7.")
    return words[0], words[1]


def _file(options: Mapping[str, object], name: str) -> Path | None:
    return absolute_path(name, str(options[name])) if options[name] else None


Choice = TypeVar("Choice", bound=StrEnum)


def _one_of(options: Mapping[str, object], name: str, choices: type[Choice], default: Choice) -> Choice:
    value = str(options[name] or default)
    if value not in {choice.value for choice in choices}:
        raise UsageError(
            f"{name}={value} is not known.", f"Give one of: {', '.join(choice.value for choice in choices)}."
        )
    return choices(value)
