"""study.json and study.tsv: the study level for programs. study.json is also what a later run knows of unchanged sessions."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from qxbatch.protocol.difference import difference_value
from qxbatch.session.json_fields import FieldError, Fields
from qxbatch.study.columns import COLUMNS
from qxbatch.study.exports import data_set_value
from qxbatch.study.record import SessionRecord, read_record, record_value
from qxbatch.study.study import NotImported, Row, Study
from qxbatch.textfile import read_text

SCHEMA = 1
ABSENT = "n/a"
"""As BIDS tables write what is not known."""
_FORMULA = ("=", "+", "-", "@")


class Known(NamedTuple):
    """What an earlier study.json says."""

    sessions: Mapping[str, SessionRecord]
    """By session id."""
    not_imported: tuple[NotImported, ...] = ()


def as_tsv(rows: Iterable[Row]) -> str:
    """Return the table; what is not known is `n/a`."""
    lines = ["\t".join(COLUMNS)]
    lines += ["\t".join(_cell(row.cells[column]) for column in COLUMNS) for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    """Return a cell; a text that a spreadsheet would take for a formula gets an apostrophe in front."""
    text = "".join(each if each.isprintable() else " " for each in str(value))
    if isinstance(value, str) and text.startswith(_FORMULA):
        return f"'{text}"
    return ABSENT if value is None or not text else text


def as_json(study: Study) -> str:
    """Return what the columns mean, and the sessions, each on a separate line."""
    sessions = ",\n".join(f"  {_line(_value(row))}" for row in study.rows)
    items = ",\n".join(f"  {_line(item._asdict())}" for item in study.not_imported)
    return (
        f'{{\n "schema": {SCHEMA},\n "columns": {_line(COLUMNS)},\n'
        f' "sessions": [\n{sessions}\n ],\n "not_imported": [\n{items}\n ]{_data_sets(study)}\n}}\n'
    )


def _data_sets(study: Study) -> str:
    """Return the BIDS data sets with what the validator said; nothing where there are none."""
    values = ",\n".join(f"  {_line(data_set_value(each))}" for each in study.data_sets)
    return f',\n "bids": [\n{values}\n ]' if values else ""


def _line(value: object) -> str:
    """Return JSON in ASCII, since names may have surrogates. Summaries of others may have NaN, which is no JSON: it is null."""
    try:
        return json.dumps(value, default=str, allow_nan=False)
    except ValueError:
        return json.dumps(json.loads(json.dumps(value, default=str), parse_constant=lambda _: None))


def _value(row: Row) -> dict[str, Any]:
    value = record_value(row.record)
    return {**value, **row.cells, "differences": [difference_value(difference) for difference in row.differences]}


def read_known(path: Path) -> Known:
    """Return what a study.json says; nothing where there is none, or none that this version wrote."""
    try:
        given = Fields(json.loads(read_text(path, "strict")))
        if given.whole("schema") != SCHEMA:
            return Known({})
        sessions = _records(given)
        items = tuple(
            NotImported(each.text("item"), each.text("reason"), each.text("command", ""), each.text("path", ""))
            for each in given.tables("not_imported")
        )
    except (OSError, ValueError, OverflowError, RecursionError):
        return Known({})
    return Known(sessions, items)


def _records(given: Fields) -> dict[str, SessionRecord]:
    """Return the records that can be read; a session without one is read again."""
    found = {}
    for each in given.tables("sessions"):
        try:
            record = read_record(each)
        except FieldError:
            continue
        found[record.id] = record
    return found
