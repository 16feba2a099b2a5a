"""Subjects in a data set whose names are reduced to the label of another subject."""

import os
from collections.abc import Collection
from pathlib import Path

from qxbatch.bids.decide.texts import toml_key
from qxbatch.bids.files.record import Record, RecordEntry
from qxbatch.bids.model import ExportPlan
from qxbatch.bids.schema.image_path import SCANS_SUFFIX


class SubjectNames:
    """Compares the subjects of an export with those of sessions that the data set has and the export has not.

    Those are sessions of other studies, and sessions that were removed. `label_conflicts` compares the subjects of the export.
    """

    def __init__(self, record: Record, dataset: Path) -> None:
        # by subject folder: the entries of each scans.tsv with a subject name
        self._entries: dict[str, list[RecordEntry]] = {}
        for path in sorted({*record.files, *record.journal_files}):
            if path.endswith(SCANS_SUFFIX) and os.path.lexists(dataset / path):
                named = (entry for entry in record.possible_entries(path) if entry.subject_name)
                self._entries.setdefault(path.partition("/")[0], []).extend(named)

    def problem(self, plan: ExportPlan, session_ids: Collection[str]) -> str | None:
        """Return why the label of the subject is that of another subject in the data set; None if it is not.

        `session_ids` are those of the sessions of the export, without the ids that the data set has from another study.
        """
        name, folder = plan.subject_name, f"sub-{plan.subject_label}"
        for entry in self._entries.get(folder, ()) if name else ():
            if entry.session not in session_ids and entry.subject_name.casefold() != name.casefold():
                return (
                    f"subjects {entry.subject_name} (session {entry.session} in the data set) and {name} have one label, "
                    f'{folder}. If they are two people, write [session.{toml_key(plan.session.id)}] subject = "..." into the '
                    f'rule file. If they are one, write subject = "{plan.subject_label}" there.'
                )
        return None
