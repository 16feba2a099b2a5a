"""Reads a rule file and checks it by the BIDS schema (docs/bids.md)."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qxbatch.bids.model import LabelRules, Rule, RuleFile, SessionRules
from qxbatch.bids.rules.field_tables import check_values
from qxbatch.bids.rules.patterns import glob_pattern
from qxbatch.bids.rules.rule_reader import RuleReader
from qxbatch.bids.schema.names import Schema, load_schema
from qxbatch.bids.schema.target import label, placeholders
from qxbatch.protocol.lines import KeyPath
from qxbatch.protocol.toml_file import TomlFile, parse_toml, read_toml
from qxbatch.protocol.values import WrongValueError, toml_string

_TOP_KEYS = ("rule", "session", "labels", "dataset")
_LABEL_KEYS = ("pattern", "subject", "session", "subjects", "sessions")
_SESSION_KEYS = ("subject", "session")
_PLACEHOLDERS = ("subject", "session")
_DATASET_FIELDS = (
    *("Name", "License", "Authors", "Acknowledgements", "HowToAcknowledge", "Funding", "EthicsApprovals", "DatasetDOI"),
    *("ReferencesAndLinks", "Keywords", "HEDVersion", "DatasetLinks", "SourceDatasets"),
)
"""Fields of dataset_description.json that users write."""
_HINT = "Name a rule file; `qxbatch bids <sessionsfolder> <bidsdir> --init=FILE` proposes one."
_QUOTING = 'Texts, and numbers with ±, are in quotes: match = { name = "rest", EchoTime = "30±1" }.'


def read_rules(path: Path) -> RuleFile:
    """Read the rules in a file. Raises UsageError."""
    schema = load_schema()
    return _Reader(read_toml(path, "rule file", _HINT, _QUOTING), schema).rule_file()


def parse_rules(text: str) -> RuleFile:
    """Return the rules in a text. Raises UsageError."""
    return _Reader(parse_toml(Path("rules.toml"), text, _HINT, _QUOTING), load_schema()).rule_file()


class _Reader:
    """Reads the rules of one file. Each method raises UsageError, with the line of what is not valid."""

    def __init__(self, file: TomlFile, schema: Schema) -> None:
        self._file = file
        self._schema = schema
        self._rules = RuleReader(file, schema)

    def rule_file(self) -> RuleFile:
        """Return the rules."""
        content = self._file.content
        self._file.refuse_unknown_keys((), content, _TOP_KEYS)
        tables = content.get("rule", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self._file.refuse(("rule",), "rule is not a list of tables.", "Begin each rule with [[rule]].")
        sessions = self._table(("session",), content.get("session", {}))
        if not tables and not sessions:
            self._file.refuse((), "there is no rule.", "Begin each rule with [[rule]].")
        return RuleFile(
            self._file.path,
            tuple(self._rules.rule(("rule", k), table) for k, table in enumerate(tables)),
            {name: self._session(name, table) for name, table in sessions.items()},
            self._labels(self._table(("labels",), content.get("labels", {}))),
            self._dataset(self._table(("dataset",), content.get("dataset", {}))),
        )

    def _table(self, key_path: KeyPath, value: Any) -> Mapping[str, Any]:
        """Return the value, which must be a table."""
        if not isinstance(value, dict):
            header = ".".join([str(key_path[0]), *(toml_string(str(key)) for key in key_path[1:])])
            self._file.refuse(key_path, f"{key_path[-1]} is not a table.", f"Write [{header}], and its keys below it.")
        return value

    def _session(self, name: str, value: Any) -> SessionRules:
        key_path: KeyPath = ("session", name)
        table = self._table(key_path, value)
        rules: list[Rule] = []
        for key, content in table.items():
            if key in _SESSION_KEYS:
                continue
            number, _dot, image = key.removeprefix("n").partition(".")
            if not number.isdecimal() or (image and not image.isdecimal()) or key.endswith("."):
                hint = (
                    'Write the scanner\'s series number, "7"; "7.2" is its second image, "n70" the series in dicom/70.'
                )
                self._file.refuse((*key_path, key), f"the key {key!r} is not a series number.", hint)
            rules.append(self._rules.session_rule((*key_path, key), name, self._table((*key_path, key), content)))
        return SessionRules(
            self._file.line(key_path),
            self._label((*key_path, "subject"), table.get("subject")),
            self._label((*key_path, "session"), table.get("session"), allow_empty=True),
            tuple(rules),
        )

    def _labels(self, table: Mapping[str, Any]) -> LabelRules:
        key_path: KeyPath = ("labels",)
        self._file.refuse_unknown_keys(key_path, table, _LABEL_KEYS)
        pattern = table.get("pattern", "")
        for key in ("pattern", "subject", "session"):
            value = table.get(key, "{subject}")  # a missing key is valid
            if not isinstance(value, str):
                self._file.refuse_value((*key_path, key), value, 'a text, such as "{subject}"')
            for name in placeholders(value):
                if name not in _PLACEHOLDERS:
                    self._file.refuse((*key_path, key), f"{{{name}}} is not known.", "Write {subject} or {session}.")
        if pattern and "subject" not in self._glob((*key_path, "pattern"), pattern).groupindex:
            self._file.refuse(
                (*key_path, "pattern"), "pattern has no {subject}.", 'Write pattern = "{subject}_{session}".'
            )
        return LabelRules(
            pattern,
            table.get("subject", LabelRules.subject),
            table.get("session", LabelRules.session),
            self._label_table((*key_path, "subjects"), table.get("subjects", {}), allow_empty=False),
            self._label_table((*key_path, "sessions"), table.get("sessions", {}), allow_empty=True),
        )

    def _glob(self, key_path: KeyPath, value: str) -> re.Pattern[str]:
        try:
            return glob_pattern(value)
        except WrongValueError as error:
            self._file.refuse_value(key_path, value, str(error))

    def _label_table(self, key_path: KeyPath, value: Any, *, allow_empty: bool) -> dict[str, str]:
        table = self._table(key_path, value)
        return {
            name: self._label((*key_path, name), text, allow_empty=allow_empty) or "" for name, text in table.items()
        }

    def _label(self, key_path: KeyPath, value: Any, *, allow_empty: bool = False) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str) or value != label(value) or not (value or allow_empty):
            self._file.refuse_value(key_path, value, "a label of letters and digits")
        return value

    def _dataset(self, table: Mapping[str, Any]) -> Mapping[str, Any]:
        self._file.refuse_unknown_keys(("dataset",), table, _DATASET_FIELDS)
        check_values(self._file, ("dataset",), table, self._schema)
        return table
