"""The export of `qxbatch bids`: planned sessions are written, validated, and noted for the study level."""

import json
import sys
from collections.abc import Sequence

from qxbatch.bids.files.shared import StudyTable
from qxbatch.bids.files.study_table import read_study_table
from qxbatch.bids.model import RuleFile, SessionPlan
from qxbatch.bids.write.placing import LinkRefusedError
from qxbatch.bids.write.result import Export, export_value
from qxbatch.bids.write.run import Request, run_export
from qxbatch.bids.write.validate import Validated, find_validator, validate
from qxbatch.exits import ExitStatus
from qxbatch.os_error import error_text
from qxbatch.parts.bids_options import BidsOptions
from qxbatch.parts.bids_study import note_export
from qxbatch.parts.bids_text import export_text, validated_text, validated_value
from qxbatch.problems import UsageError


def export_plans(asked: BidsOptions, rules: RuleFile, plans: Sequence[SessionPlan], *, complete: bool) -> ExitStatus:
    """Export the sessions and say what came of it. Raises UsageError."""
    program = find_validator() if asked.validate else ""
    table, warnings = read_study_table(asked.logfile, asked.columns) if asked.logfile else (StudyTable(), [])
    export = _exported(_request(asked, rules, table, complete=complete), plans)
    if not asked.test:
        note_export(asked, rules, export, None)
    try:
        validated = validate(asked.dataset, program) if program else None
    except UsageError:
        _say(asked, export, warnings, None)
        raise
    if validated:
        note_export(asked, rules, export, validated)
    _say(asked, export, warnings, validated)
    return ExitStatus.FAILED if export.failed or (validated and validated.errors) else ExitStatus.OK


def _request(asked: BidsOptions, rules: RuleFile, table: StudyTable, *, complete: bool) -> Request:
    return Request(
        sessionsfolder=asked.sessionsfolder,
        dataset=asked.dataset,
        description=rules.dataset,
        table=table,
        link=asked.link,
        intended_for=asked.intended_for,
        shift_table=asked.shift_table,
        sourcedata=asked.sourcedata,
        keep_identifying=asked.keep_identifying,
        complete=complete,
        test=asked.test,
    )


def _exported(request: Request, plans: Sequence[SessionPlan]) -> Export:
    try:
        return run_export(request, plans)
    except LinkRefusedError as error:
        raise UsageError(f"{error}.", "Write --link=auto or --link=copy.", ExitStatus.CANNOT_WRITE) from None
    except OSError as error:
        hint = "Correct this and run again: the next run completes the export."
        text = error_text(error, request.dataset)
        raise UsageError(f"Cannot write {text}.", hint, ExitStatus.CANNOT_WRITE) from None


def _say(asked: BidsOptions, export: Export, warnings: Sequence[str], validated: Validated | None) -> None:
    for text in warnings:
        print(f"to check: {text}", file=sys.stderr)
    if asked.json:
        value = export_value(export, str(asked.dataset), test=asked.test)
        print(json.dumps({**value, **({"validation": validated_value(validated)} if validated else {})}, indent=1))
        return
    print(export_text(export, str(asked.dataset), test=asked.test))
    if validated:
        print(validated_text(validated))
