"""The new folders of a split packet, and the table of its members with their new paths."""

import contextlib
import itertools
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import NoReturn

from qxbatch.commands.split_plan import SplitFolder
from qxbatch.core import Row
from qxbatch.discover.own_names import is_staging_name_of_split
from qxbatch.exits import ExitStatus
from qxbatch.ledger_cells import escape
from qxbatch.problems import UsageError
from qxbatch.publish.durable import rename_noreplace, sync_folder, sync_tree
from qxbatch.publish.folder_lock import locked_folder
from qxbatch.publish.same_content import same_content
from qxbatch.report.output_files import path_and_parents_in_inbox
from qxbatch.session.layout import KEPT_AT_PREFIX
from qxbatch.session.paths import SessionPaths
from qxbatch.textfile import create_text, open_text

_MAPPING_NAME = re.compile(r"split(?:_\d+)?\.tsv")
COLUMNS = ("path", "part", "at", "patient", "study", "kind", "note")
"""The columns of the mapping; the fields of `MappingRow` are in the same order."""


@dataclass(frozen=True)
class MappingRow:
    """A row of the mapping (the table `split.tsv`), in the order of its columns.

    `folder` is the name of the new folder to which the member belongs. `at` is empty for a member that was not written to that
    folder; `note` is the reason.
    """

    path: str
    folder: str
    at: str
    patient: str
    study: str
    kind: str
    note: str

    @staticmethod
    def of(row: Row, folder: SplitFolder) -> "MappingRow":
        """Return the row of a member that belongs to a new folder."""
        at = f"{folder.name}/{row.at.removeprefix(KEPT_AT_PREFIX)}" if row.fate == "kept" and row.at else ""
        note = _duplicate_note(row) if row.fate == "duplicate" else "" if at else row.fate
        return MappingRow(row.path, folder.name, at, folder.patient, folder.study, row.kind, note)


def _duplicate_note(row: Row) -> str:
    """Return why a duplicate was not written. Files are duplicates if they have the same content, gzipped or not."""
    extra = ", but not the bytes outside of this file's content" if row.has_extra_bytes else ""
    return f"another file has the same content{extra}"


def move_to_output(staging: Path, folders: Sequence[SplitFolder], rows: Sequence[MappingRow]) -> Path:
    """Rename the new folders into the output, and write the mapping; return its path. Raises UsageError and OSError."""
    output = staging.parent
    sync_tree(staging / "parts")
    with locked_folder(output):
        for new, target in missing_folders(staging, folders, rows):  # another run may have written them meanwhile
            rename_noreplace(new, target)
        return _write_mapping(staging, _lines(rows))


def missing_folders(
    staging: Path, folders: Sequence[SplitFolder], rows: Sequence[MappingRow]
) -> list[tuple[Path, Path]]:
    """Return the new folders that the output lacks, each with its path there.

    A run that is killed between two renames leaves some folders, and no mapping. Raises UsageError if the output contains the whole
    result, or something else with one of the names, or is in a packet that waits in a master inbox, and OSError.
    """
    output = staging.parent
    _refuse_waiting_packet(output, [folder.name for folder in folders])
    pairs = [(SessionPaths(prepared_root(staging, k)).inbox, output / folder.name) for k, folder in enumerate(folders)]
    existing = [(new, target) for new, target in pairs if os.path.lexists(target)]
    if existing and _has_mapping(output, _lines(rows)):
        _refuse(output, [target for _, target in existing])
    different = [target for new, target in existing if target.is_symlink() or not same_content(new, target)]
    if different:
        _refuse(output, different)
    return [pair for pair in pairs if pair not in existing]


def _refuse_waiting_packet(output: Path, new_names: Iterable[str]) -> None:
    """Raise UsageError if the output is, or is in, a packet: a folder of a master inbox with content besides that of the split.

    A link can lead into the inbox, or the inbox can be a link: the path as written and its target are both checked.
    """
    names_in_output = frozenset(new_names)
    for path in (output, Path(os.path.realpath(output))):
        # for each folder, from the output up to the entry of the inbox, the names that the split itself needs in it
        own_names = {path: names_in_output}
        for folder in path_and_parents_in_inbox(path):
            for name in os.listdir(folder):  # noqa: PTH208 - names, not paths
                is_own = name in own_names[folder] or is_staging_name_of_split(name) or _MAPPING_NAME.fullmatch(name)
                if not is_own:
                    raise UsageError(
                        f"{folder} is a packet that waits in the master inbox; nothing was written.",
                        "Name another --output.",
                        ExitStatus.CANNOT_WRITE,
                    )
            own_names[folder.parent] = frozenset([folder.name])


def prepared_root(staging: Path, k: int) -> Path:
    """Return the folder whose subfolder `inbox` becomes the k-th new folder."""
    return staging / "parts" / str(k)


def _refuse(output: Path, existing: Iterable[Path]) -> NoReturn:
    raise UsageError(
        f"{output} contains {', '.join(path.name for path in existing)} already; nothing was written.",
        "Name another --output, or move them away.",
        ExitStatus.CANNOT_WRITE,
    )


def _has_mapping(output: Path, lines: Sequence[str]) -> bool:
    """Return whether a mapping in the output has these lines. Raises OSError."""
    for path in _mappings(output):
        if not os.path.lexists(path):
            return False
        with contextlib.suppress(OSError), open_text(path) as file:
            if list(file) == lines:
                return True
    return False


def _write_mapping(staging: Path, lines: Iterable[str]) -> Path:
    """Write the mapping as `split.tsv` (or a numbered name) in the output and return its path. Raises OSError."""
    path = next(path for path in _mappings(staging.parent) if not os.path.lexists(path))
    with create_text(staging / path.name) as file:
        file.writelines(lines)
    rename_noreplace(staging / path.name, path)
    sync_folder(path.parent)
    return path


def _mappings(output: Path) -> Iterator[Path]:
    """Yield the paths that a mapping can have, in the order in which they are used."""
    yield output / "split.tsv"
    yield from (output / f"split_{k}.tsv" for k in itertools.count(2))


def _lines(rows: Iterable[MappingRow]) -> list[str]:
    """Return the lines of the mapping."""
    # the core has escaped the path already
    cells = [(path, *map(escape, others)) for path, *others in map(astuple, rows)]
    return ["\t".join(row) + "\n" for row in [COLUMNS, *cells]]
