"""The export of `qxbatch bids`: writes planned sessions, validates the data set, and records the export for the study level."""

import json
import sys
from collections.abc import Sequence

from qxbatch.bids.files.study_table import read_study_table
from qxbatch.bids.model import ExportPlan, RuleFile
from qxbatch.bids.write.placing import LinkRefusedError
from qxbatch.bids.write.request import Request
from qxbatch.bids.write.result import Export, export_value
from qxbatch.bids.write.run import run_export
from qxbatch.bids.write.validate import ValidatorResult, find_validator, validate
from qxbatch.commands.bids_options import BidsOptions
from qxbatch.commands.bids_study import record_export
from qxbatch.commands.bids_text import export_text, validator_text, validator_value
from qxbatch.exits import ExitStatus
from qxbatch.os_error import error_text
from qxbatch.problems import UsageError
from qxbatch.report.output_files import check_output_folder, default_study_paths


def export_plans(
    options: BidsOptions, rules: RuleFile, plans: Sequence[ExportPlan], *, all_sessions: bool
) -> ExitStatus:
    """Export the sessions, print the result and return the exit status. Raises UsageError.

    `all_sessions`: the plans include all sessions of the study.
    """
    check_output_folder(options.dataset, [default_study_paths(options.sessionsfolder)])
    program = find_validator() if options.validate else ""
    table, warnings = read_study_table(options.logfile, options.columns)
    export = _export(_request(options, rules, all_sessions=all_sessions)._replace(table=table), plans)
    if not options.test:
        record_export(options, rules, export, None)
    try:
        validator_result = validate(options.dataset, program) if program else None
    except UsageError:
        _print_result(options, export, warnings, None)
        raise
    if validator_result:
        record_export(options, rules, export, validator_result)
    _print_result(options, export, warnings, validator_result)
    return ExitStatus.FAILED if export.not_exported or (validator_result and validator_result.errors) else ExitStatus.OK


def _request(options: BidsOptions, rules: RuleFile, *, all_sessions: bool) -> Request:
    """Return the options of the export, without a table of the study."""
    return Request(
        sessionsfolder=options.sessionsfolder,
        dataset=options.dataset,
        description=rules.dataset,
        link=options.link,
        intended_for=options.intended_for,
        shift_table=options.shift_table,
        sourcedata=options.sourcedata,
        keep_identifying=options.keep_identifying,
        all_sessions=all_sessions,
        test=options.test,
    )


def _export(request: Request, plans: Sequence[ExportPlan]) -> Export:
    try:
        return run_export(request, plans)
    except LinkRefusedError as error:
        raise UsageError(f"{error}.", "Write --link=auto or --link=copy.", ExitStatus.CANNOT_WRITE) from None
    except OSError as error:
        hint = "Correct this and run again: the next run completes the export."
        text = error_text(error, request.dataset)
        raise UsageError(f"Cannot write {text}.", hint, ExitStatus.CANNOT_WRITE) from None


def _print_result(
    options: BidsOptions, export: Export, warnings: Sequence[str], validator_result: ValidatorResult | None
) -> None:
    for text in warnings:
        print(f"to check: {text}", file=sys.stderr)
    if options.json:
        value = export_value(export, str(options.dataset), test=options.test)
        validation = {"validation": validator_value(validator_result)} if validator_result else {}
        print(json.dumps({**value, **validation}, indent=1))
        return
    print(export_text(export, str(options.dataset), test=options.test))
    if validator_result:
        print(validator_text(validator_result))
