"""The parts of the path of a member in the ledger.

Only a `!` between an archive that was opened and its members is a separator (`Row.archive_ends`). Another `!` is a character of a
name.
"""

from collections.abc import Iterator
from pathlib import Path

from qxbatch.core import Row
from qxbatch.ledger_cells import member_path


def tree_path(row: Row) -> str:
    """Return the path with `/` in place of each `!` between an archive and its members."""
    if not row.archive_ends:
        return row.path
    characters = list(row.path)
    for position in row.archive_ends:
        characters[position] = "/"
    return "".join(characters)


def loose_path(row: Row, folder: Path) -> Path | None:
    """Return where the member is in the folder that was read; None for a member of an archive."""
    return None if row.archive_ends else folder / member_path(row.path)


def name_of(row: Row) -> str:
    """Return the file name."""
    return tree_path(row).rpartition("/")[2]


def folder_of(row: Row) -> tuple[str, ...]:
    """Return the folders and archives that contain a member, from the top, each with its `/` or `!`."""
    return tuple(_folders(row))


def _folders(row: Row) -> Iterator[str]:
    start = 0
    for position, character in enumerate(tree_path(row)):
        if character == "/":
            yield row.path[start : position + 1]
            start = position + 1
