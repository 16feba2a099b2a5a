"""Records an export in the sessions folder and rewrites the study level: page and tables of the study."""

import os
import sys
from pathlib import Path

from qxbatch.bids.files.changes import Action
from qxbatch.bids.model import RuleFile
from qxbatch.bids.write.result import ExportResult, SessionOutcome
from qxbatch.bids.write.validate import ValidatorResult
from qxbatch.commands.bids_options import BidsOptions
from qxbatch.os_error import error_text
from qxbatch.pipeline.study_level import write_study
from qxbatch.problems import UsageError
from qxbatch.session.folder import SessionFolder
from qxbatch.session.layout import STUDY_SIDECAR
from qxbatch.study.exports import DataSet, SessionExport, Validation, record_data_set, recorded_data_sets, rules_digest
from qxbatch.study.sessions import sessions_in
from qxbatch.study.study import summary_stamp
from qxbatch.textfile import read_bytes


def record_export(
    options: BidsOptions, rule_file: RuleFile, export: ExportResult, validator_result: ValidatorResult | None
) -> None:
    """Record the export. If that changes the record, rewrite the study level, unless the study has none.

    If a file cannot be read or written, print a message.
    """
    folder = options.sessionsfolder
    try:
        rules_path = Path(os.path.realpath(rule_file.path))  # the page does not follow links
        digest = rules_digest(read_bytes(rules_path))
        data_set = next((entry for entry in recorded_data_sets(folder) if entry.path == options.dataset), None)
        sessions = dict(data_set.sessions) if data_set else {}
        for result in export.sessions:
            stamp = summary_stamp(SessionFolder(folder / result.session))
            is_exported = result.state is SessionOutcome.EXPORTED
            sessions[result.session] = SessionExport(stamp if is_exported else None, digest, result.has_no_image)
        validation = data_set.validation if data_set and not _has_changes(export) else None
        if validator_result:
            validation = Validation(
                len(validator_result.errors), validator_result.warning_count, validator_result.validator
            )
        is_changed = record_data_set(folder, DataSet(options.dataset, rules_path, sessions, validation))
        if is_changed and (folder / STUDY_SIDECAR).exists():
            # if the folder has no sessions, `sessions_in` returns those in its subfolder `sessions`
            write_study(folder, [path for path in sessions_in(folder) if path.parent == folder])
    except UsageError as error:
        print(f"The study page does not show this export: {error}", file=sys.stderr)
    except OSError as error:
        print(f"The study page does not show this export: {error_text(error, folder)}.", file=sys.stderr)


def _has_changes(export: ExportResult) -> bool:
    """Return whether the export changed a file, so that the previous validation is outdated."""
    return any(export.counts[action] for action in (Action.ADD, Action.REPLACE, Action.REMOVE))
