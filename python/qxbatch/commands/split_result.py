"""The new folders of a split packet, and the table of its members with their new paths."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from qxbatch.commands.split_plan import StudyFolder
from qxbatch.core import Row
from qxbatch.exits import ExitStatus
from qxbatch.ledger_cells import escape
from qxbatch.problems import UsageError
from qxbatch.publish.alone import alone_in
from qxbatch.publish.durable import rename_new, sync_folder, sync_tree
from qxbatch.session.layout import KEPT_AT
from qxbatch.session.paths import SessionPaths
from qxbatch.textfile import created


@dataclass(frozen=True)
class Member:
    """A row of the mapping; `at` is empty for a member that is not in a new folder, for the reason in `note`."""

    path: str
    part: str
    at: str
    patient: str
    study: str
    kind: str
    note: str

    @staticmethod
    def of(row: Row, folder: StudyFolder) -> "Member":
        """Return the row of a member that belongs to a new folder."""
        at = f"{folder.name}/{row.at.removeprefix(KEPT_AT)}" if row.fate == "kept" and row.at else ""
        note = "the same bytes are in another file" if row.fate == "duplicate" else "" if at else row.fate
        return Member(row.path, folder.name, at, folder.patient, folder.study, row.kind, note)


def refuse_existing(output: Path, folders: Sequence[StudyFolder]) -> None:
    """Raise UsageError if the output has one of the new names."""
    existing = [folder.name for folder in folders if os.path.lexists(output / folder.name)]
    if existing:
        raise UsageError(
            f"{output} contains {', '.join(existing)} already; nothing was written.",
            "Name another --output, or move them away.",
            ExitStatus.CANNOT_WRITE,
        )


def place(staging: Path, folders: Sequence[StudyFolder], members: Sequence[Member]) -> Path:
    """Rename the new folders into the output, and write the mapping; return its path. Raises UsageError and OSError."""
    output = staging.parent
    sync_tree(staging / "parts")
    with alone_in(output):
        refuse_existing(output, folders)  # another run may have written them meanwhile
        for k, folder in enumerate(folders):
            rename_new(SessionPaths(staging / "parts" / str(k)).inbox, output / folder.name)
        return _write_mapping(output, members)


def _write_mapping(output: Path, members: Iterable[Member]) -> Path:
    """Write the mapping as `split.tsv` (or a numbered name) and return its path."""
    k = 1
    path = output / "split.tsv"
    while os.path.lexists(path):
        k += 1
        path = output / f"split_{k}.tsv"
    with created(path) as file:
        file.write("\t".join(field.name for field in fields(Member)) + "\n")
        for member in members:
            path_cell, *cells = astuple(member)
            file.write("\t".join([path_cell, *map(escape, cells)]) + "\n")
    sync_folder(output)
    return path
