"""The export of `qxbatch bids`: writes planned sessions, validates the data set, and records the export.

If that changes the record, the study level (page and tables of the study) is rewritten.
"""

import json
import sys
from collections.abc import Callable, Sequence

from qxbatch.bids.files.logfile_table import read_logfile_table
from qxbatch.bids.model import ExportPlan, RuleFile
from qxbatch.bids.write.placing import LinkRefusedError
from qxbatch.bids.write.request import ExportRequest
from qxbatch.bids.write.result import ExportResult, export_value
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
    options: BidsOptions,
    rule_file: RuleFile,
    plans: Sequence[ExportPlan],
    subject_label_of: Callable[[str], str],
    *,
    includes_all_sessions: bool,
) -> ExitStatus:
    """Export the sessions, print the result and return the exit status. Raises UsageError.

    `subject_label_of` maps the id of a session to the label of its subject; empty if that is not known. `includes_all_sessions`:
    the plans include all sessions of the study.
    """
    check_output_folder(options.dataset, [default_study_paths(options.sessionsfolder)])
    program = find_validator() if options.validate else ""
    logfile_table, warnings = read_logfile_table(options.logfile, options.columns)
    request = _request(options, rule_file, includes_all_sessions=includes_all_sessions)
    export = _export(request._replace(logfile_table=logfile_table, subject_label_of=subject_label_of), plans)
    validator_result = None
    try:  # the next run does not repeat all warnings, so they are printed even if a signal ends the validator
        if not options.test:
            record_export(options, rule_file, export, None)
        validator_result = validate(options.dataset, program) if program else None
        if validator_result:
            record_export(options, rule_file, export, validator_result)
    finally:
        _print_result(options, export, warnings, validator_result)
    return ExitStatus.FAILED if export.not_exported or (validator_result and validator_result.errors) else ExitStatus.OK


def _request(options: BidsOptions, rule_file: RuleFile, *, includes_all_sessions: bool) -> ExportRequest:
    """Return the options of the export, without the table of --logfile and the labels of subjects."""
    return ExportRequest(
        sessionsfolder=options.sessionsfolder,
        dataset=options.dataset,
        description_fields=rule_file.description_fields,
        link_mode=options.link,
        intended_for=options.intended_for,
        shift_table=options.shift_table,
        sourcedata=options.sourcedata,
        keep_identifying=options.keep_identifying,
        includes_all_sessions=includes_all_sessions,
        test=options.test,
    )


def _export(request: ExportRequest, plans: Sequence[ExportPlan]) -> ExportResult:
    try:
        return run_export(request, plans)
    except LinkRefusedError as error:
        raise UsageError(f"{error}.", "Write --link=auto or --link=copy.", ExitStatus.CANNOT_WRITE) from None
    except OSError as error:
        hint = "Correct this and run again: the next run completes the export."
        text = error_text(error, request.dataset)
        raise UsageError(f"Cannot write {text}.", hint, ExitStatus.CANNOT_WRITE) from None


def _print_result(
    options: BidsOptions, export: ExportResult, warnings: Sequence[str], validator_result: ValidatorResult | None
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
