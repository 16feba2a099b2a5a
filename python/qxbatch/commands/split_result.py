"""The table of the members of a split packet, with their new paths."""

import os
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from qxbatch.commands.split_plan import StudyFolder
from qxbatch.core import Row
from qxbatch.ledger_cells import escape
from qxbatch.publish.durable import sync_folder
from qxbatch.session.layout import KEPT_AT
from qxbatch.textfile import created


@dataclass(frozen=True)
class Member:
    """A row of the mapping; `at` is empty for a member without bytes."""

    path: str
    part: str
    at: str
    patient: str
    study: str
    kind: str
    note: str

    @staticmethod
    def of(row: Row, folder: StudyFolder) -> "Member":
        """Return the row of a member that is in its new folder."""
        at = f"{folder.name}/{row.at.removeprefix(KEPT_AT)}" if row.fate == "kept" and row.at else ""
        note = "the same bytes are in another file" if row.fate == "duplicate" else "" if at else row.fate
        return Member(row.path, folder.name, at, folder.patient, folder.study, row.kind, note)


def write_mapping(output: Path, members: Iterable[Member]) -> Path:
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
