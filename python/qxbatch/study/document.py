"""study.json and study.tsv: the study level for programs. Later runs read unchanged sessions from study.json."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from qxbatch.protocol.difference import difference_value
from qxbatch.session.json_fields import FieldError, Fields
from qxbatch.study.columns import COLUMNS
from qxbatch.study.exports import data_set_value
from qxbatch.study.record import SessionRecord, read_record, record_value
from qxbatch.study.study import NotImported, Study, StudyRow
from qxbatch.study.written_table import WrittenTable
from qxbatch.textfile import read_text

SCHEMA = 1
"""Version of the form of study.json; a file of another one is not read."""
ABSENT = "n/a"
"""How BIDS tables write an unknown value."""
_FORMULA_STARTS = ("=", "+", "-", "@")
"""Spreadsheets read a text that begins with one of these as a formula."""


class PreviousStudy(NamedTuple):
    """The content of an existing study.json."""

    sessions: Mapping[str, SessionRecord]
    """By session id."""
    not_imported: tuple[NotImported, ...] = ()


def as_tsv(rows: Iterable[StudyRow]) -> str:
    """Return the text of study.tsv; unknown values are `n/a`."""
    lines = ["\t".join(COLUMNS)]
    lines += ["\t".join(_cell(row.cells[column]) for column in COLUMNS) for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    """Return a cell. A text that a spreadsheet would read as a formula gets a leading apostrophe."""
    text = "".join(character if character.isprintable() else " " for character in str(value))
    if isinstance(value, str) and text.startswith(_FORMULA_STARTS):
        return f"'{text}"
    return ABSENT if value is None or not text else text


def as_json(study: Study) -> str:
    """Return the text of study.json, each session on a separate line; `not_imported` is last, for `outdated.py`."""
    sessions = ",\n".join(f"  {_line(_value(row))}" for row in study.rows)
    items = ",\n".join(f"  {_line(item._asdict())}" for item in study.not_imported)
    return (
        f'{{\n "schema": {SCHEMA},\n "columns": {_line(COLUMNS)},\n'
        f' "sessions": [\n{sessions}\n ],\n{_data_sets(study)} "not_imported": [\n{items}\n ]\n}}\n'
    )


def _data_sets(study: Study) -> str:
    """Return the lines of the field `bids`: the BIDS data sets with the results of the validator; empty without data sets."""
    values = ",\n".join(f"  {_line(data_set_value(data_set))}" for data_set in study.data_sets)
    return f' "bids": [\n{values}\n ],\n' if values else ""


def _line(value: object) -> str:
    """Return JSON in ASCII, since names may have surrogates. NaN and infinity, which JSON does not have, are written as null."""
    try:
        return json.dumps(value, default=str, allow_nan=False)
    except ValueError:
        return json.dumps(json.loads(json.dumps(value, default=str), parse_constant=lambda _: None))


def _value(row: StudyRow) -> dict[str, Any]:
    value = record_value(row.record)
    differences = [difference_value(difference) for difference in row.differences]
    return {**value, **row.cells, "differences": differences, "compared": row.is_compared}


def read_previous(path: Path) -> PreviousStudy:
    """Return the content of a study.json; empty if it is missing, cannot be read or has another schema."""
    try:
        fields = Fields(json.loads(read_text(path, "strict")))
        if fields.integer("schema") != SCHEMA:
            return PreviousStudy({})
        sessions = _records(fields)
        items = tuple(
            NotImported(table.text("item"), table.text("reason"), table.text("command", ""), table.text("path", ""))
            for table in fields.json_objects("not_imported")
        )
    except (OSError, ValueError, OverflowError, RecursionError):
        return PreviousStudy({})
    return PreviousStudy(sessions, items)


def previous_table(path: Path) -> WrittenTable | None:
    """Return study.tsv as it was written with a study.json; None if study.json is missing or cannot be read."""
    try:
        content = json.loads(read_text(path, "strict"))
        columns = list(map(str, content["columns"]))
        rows = [
            {"\t".join(_cell(row[column]) for column in columns) for row in _possible_rows(session)}
            for session in content["sessions"]
        ]
    except (OSError, ValueError, OverflowError, RecursionError, KeyError, TypeError):
        return None
    return WrittenTable("\t".join(columns), rows)


def _possible_rows(session: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows that can have been written for a session of study.json.

    In that of an older version without the field `compared`, a session without differences may have been compared or not.
    """
    count = len(session["differences"])
    is_compared = session.get("compared")
    counts = {count, count or None} if is_compared is None else {count if is_compared else None}
    return [{**session, "differences": number} for number in counts]


def _records(fields: Fields) -> dict[str, SessionRecord]:
    """Return the readable records. Sessions without a record are read again."""
    records = {}
    for table in fields.json_objects("sessions"):
        try:
            record = read_record(table)
        except FieldError:
            continue
        records[record.id] = record
    return records
