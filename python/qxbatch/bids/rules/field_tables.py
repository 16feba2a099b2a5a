"""Checks the tables of fields in a rule file: `set` and `[dataset]`."""

from collections.abc import Mapping
from typing import Any

from qxbatch.bids.schema.field_values import unmet_requirement
from qxbatch.bids.schema.names import Schema
from qxbatch.protocol.lines import KeyPath
from qxbatch.protocol.toml_file import TomlFile


def check_values(file: TomlFile, key_path: KeyPath, table: Mapping[str, Any], schema: Schema) -> None:
    """Raise UsageError for the first value in a table that its field cannot have. `key_path` leads to the table."""
    for field, value in table.items():
        if valid_values := unmet_requirement(schema, field, value):
            file.refuse_value((*key_path, field), value, valid_values)
