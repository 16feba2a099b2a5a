"""What the study level knows of an export: a note in the sessions folder, and the study page is rewritten."""

import sys

from qxbatch.bids.files.changes import Action
from qxbatch.bids.model import RuleFile
from qxbatch.bids.write.result import Export, SessionState
from qxbatch.bids.write.validate import Validated
from qxbatch.os_error import error_text
from qxbatch.parts.bids_options import BidsOptions
from qxbatch.pipeline.study_level import write_study
from qxbatch.session.folder import SessionFolder
from qxbatch.session.layout import STUDY_SIDECAR
from qxbatch.study.exports import DataSet, SessionExport, Validation, read_exports, rules_digest, write_export
from qxbatch.study.sessions import sessions_in
from qxbatch.study.study import summary_stamp
from qxbatch.textfile import read_bytes


def note_export(asked: BidsOptions, rules: RuleFile, export: Export, validated: Validated | None) -> None:
    """Note the export, and refresh the study level where there is one. What cannot be written is a message."""
    folder = asked.sessionsfolder
    try:
        digest = rules_digest(read_bytes(rules.path))
        known = next((each for each in read_exports(folder) if each.path == asked.dataset), None)
        sessions = dict(known.sessions) if known else {}
        for each in export.sessions:
            stamp = summary_stamp(SessionFolder(folder / each.session))
            sessions[each.session] = SessionExport(stamp if each.state is SessionState.EXPORTED else None, digest)
        validation = known.validation if known and not _changed(export) else None
        if validated:
            validation = Validation(len(validated.errors), validated.warnings, validated.validator)
        news = write_export(folder, DataSet(asked.dataset, rules.path, sessions, validation))
        if news and (folder / STUDY_SIDECAR).exists():
            write_study(folder, [path for path in sessions_in(folder) if path.parent == folder])
    except OSError as error:
        print(f"The study page does not show this export: cannot write {error_text(error, folder)}.", file=sys.stderr)


def _changed(export: Export) -> bool:
    """Return whether a file was changed, so that an earlier validation no longer counts."""
    return any(export.counts[action] for action in (Action.ADD, Action.REPLACE, Action.REMOVE))
