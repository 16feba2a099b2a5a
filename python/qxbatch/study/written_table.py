"""Whether somebody edited study.tsv, which has no checksum: it is compared with what a run can have written."""

from collections.abc import Collection, Sequence
from typing import NamedTuple


class WrittenTable(NamedTuple):
    """A table as it was written with a study.json."""

    header: str
    rows: Sequence[Collection[str]]
    """The possible lines of each row."""

    def is_same(self, header: str, lines: Sequence[str]) -> bool:
        """Return whether this header and these lines are the table."""
        rows = self.rows
        return (
            header == self.header
            and len(lines) == len(rows)
            and all(line in row for line, row in zip(lines, rows, strict=True))
        )


def is_written_table(table: str, new: str, previous: WrittenTable | None) -> bool:
    """Return whether a run wrote `table` as it is, so that nobody has edited it since.

    A run wrote it if it is the new table, the table of study.json (`previous`), or the table of a run that was killed before it
    wrote study.json. A killed run's table can have more sessions than study.json, and other values in them. It has each session of
    study.json that still exists, and its sessions have the order of the new table and of study.json. Without study.json, any
    session can be missing in it.
    """
    header, *lines = table.split("\n")
    new_header, *new_lines = new.removesuffix("\n").split("\n")
    if lines[-1:] != [""]:
        return False
    del lines[-1]
    if (previous is not None and previous.is_same(header, lines)) or table == new:
        return True
    possible = {_session(line): {line} for line in new_lines}
    for row in previous.rows if previous else ():
        for line in row:
            possible.setdefault(_session(line), set()).add(line)
    sessions = [_session(line) for line in lines]
    earlier = [_session(next(iter(row))) for row in previous.rows] if previous else []
    existing = [_session(line) for line in new_lines]
    return (
        header == new_header
        and all(line in possible.get(session, ()) for session, line in zip(sessions, lines, strict=True))
        and _have_order(sessions, existing)
        and _have_order(sessions, earlier)
        and {*sessions} >= {*earlier} & {*existing}
    )


def _have_order(sessions: Sequence[str], others: Sequence[str]) -> bool:
    """Return whether the sessions that both have are in the same order, each once."""
    common = {*sessions} & {*others}
    return [each for each in sessions if each in common] == [each for each in others if each in common]


def _session(line: str) -> str:
    return line.partition("\t")[0]
