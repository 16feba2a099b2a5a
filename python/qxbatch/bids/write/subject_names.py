"""Subjects in a data set whose names are reduced to the label of another subject."""

from collections.abc import Collection
from pathlib import Path

from qxbatch.bids.decide.texts import toml_key
from qxbatch.bids.files.record import Record, RecordEntry, subject_folder
from qxbatch.bids.model import ExportPlan
from qxbatch.publish.plain_files import entry_may_exist


class SubjectNames:
    """Compares the subjects of an export with those of sessions that are in the data set and not in the export.

    Those are sessions of other studies, and sessions that were removed. `label_conflicts` compares the subjects of the export.
    """

    def __init__(self, record: Record, dataset: Path) -> None:
        # by subject folder in folded case: the scans.tsv of its sessions whose subject has a reduced name
        self._entries: dict[str, list[RecordEntry]] = {}
        entries = [
            entry
            for path in sorted({*record.files, *record.journal_files})
            for entry in record.possible_entries(path)
            if entry.session
        ]
        named = {(subject_folder(entry.path), entry.session) for entry in entries if entry.subject_name}
        # users can have deleted the scans.tsv alone
        existing = {
            key
            for entry in entries
            if (key := (subject_folder(entry.path), entry.session)) in named and entry_may_exist(dataset / entry.path)
        }
        for entry in entries:
            folder = subject_folder(entry.path)
            if entry.subject_name and (folder, entry.session) in existing:
                self._entries.setdefault(folder.casefold(), []).append(entry)

    def problem(self, plan: ExportPlan, session_ids: Collection[str]) -> str | None:
        """Return why the label of the subject is that of another subject in the data set; None if it is not.

        `session_ids` are those of the sessions of this export whose subjects the rules compared with each other.
        """
        name, folder = plan.subject_name, f"sub-{plan.subject_label}"
        for entry in self._entries.get(folder.casefold(), ()) if name else ():
            if entry.session not in session_ids and entry.subject_name.casefold() != name.casefold():
                return (
                    f"subjects {entry.subject_name} (session {entry.session} in the data set) and {name} have one label, "
                    f'{folder}. If they are two people, write [session.{toml_key(plan.session.id)}] subject = "..." into the '
                    f'rule file. If they are one, write subject = "{plan.subject_label}" there.'
                )
        return None
