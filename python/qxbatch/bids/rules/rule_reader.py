"""Reads and checks one rule of a rule file."""

from collections.abc import Mapping
from typing import Any

from qxbatch.bids.model import Condition, FieldMapOptions, Rule
from qxbatch.bids.rules.field_tables import check_values
from qxbatch.bids.rules.match_keys import CONVERTER_FIELDS, KEYS, PATTERN_KEYS, MatchKey, sidecar_key
from qxbatch.bids.rules.match_values import as_mapping, captured_names
from qxbatch.bids.rules.matching import accept_unless
from qxbatch.bids.schema.names import Schema
from qxbatch.bids.schema.target import TargetError, check_template
from qxbatch.protocol.lines import KeyPath
from qxbatch.protocol.toml_file import TomlFile
from qxbatch.protocol.values import WrongValueError

OPTIONS = ("as", "ignore", "repeat", "copies", "serves", "set", "context")
"""Keys of a rule besides `match`."""
REPEAT_CHOICES = ("last", "all", "longest", "complete")
COPIES_CHOICES = ("last", "longest", "complete")
SERVES_BY = ("shim", "geometry", "nearest-time")
"""Values of `by` in `serves`."""
SERVES_WRITE = ("B0FieldIdentifier", "IntendedFor")
"""Values of `write` in `serves`."""
VOLUME_TYPES = ("control", "label", "m0scan", "deltam", "cbf", "noRF")
"""Values of `context`: types of ASL volumes, as in aslcontext.tsv."""
_NOT = "not"


class RuleReader:
    """Reads rules from tables. Each method raises UsageError.

    A `key_path` has the keys that lead to a value of the file, such as `("rule", 0, "match", "name")`, for messages.
    """

    def __init__(self, file: TomlFile, schema: Schema) -> None:
        self._file = file
        self._schema = schema
        self._fields = {*schema.field_names, *CONVERTER_FIELDS}

    def rule(self, key_path: KeyPath, table: Mapping[str, Any]) -> Rule:
        """Return the rule of a table `[[rule]]`."""
        self._file.refuse_unknown_keys(key_path, table, ("match", *OPTIONS))
        match = table.get("match")
        if not isinstance(match, dict) or not match:
            where = (*key_path, "match") if "match" in table else key_path
            self._file.refuse(where, "a rule needs a table match.", 'Write match = { name = "rest*" }.')
        return self._build(key_path, match, table, "")

    def session_rule(self, key_path: KeyPath, session: str, table: Mapping[str, Any]) -> Rule:
        """Return the rule of one series of one session, or of one of its images.

        The last key of `key_path` names it: `7` (SeriesNumber), `n70` (the series in `dicom/70`), `7.2` (second image of series 7).
        """
        self._file.refuse_unknown_keys(key_path, table, OPTIONS)
        number, _dot, image = str(key_path[-1]).partition(".")
        key = "n" if number.startswith("n") else "number"
        match = {key: int(number.removeprefix("n")), **({"image": int(image)} if image else {})}
        return self._build(key_path, match, table, session)

    def _build(self, key_path: KeyPath, match: Mapping[str, Any], table: Mapping[str, Any], session: str) -> Rule:
        conditions = self._conditions((*key_path, "match"), match)
        captures = self._captures((*key_path, "match"), match)
        target, ignore = table.get("as", ""), table.get("ignore", "")
        if ("as" in table) == ("ignore" in table):
            what = "has both as and ignore" if "as" in table else "has neither as nor ignore"
            self._file.refuse(
                key_path, f"the rule {what}.", 'Write as = "func/task-rest_bold", or ignore = "the reason".'
            )
        self._check_text(key_path, table)
        if target:
            self._check_template((*key_path, "as"), target, captures)
        return Rule(
            line=self._file.line(key_path),
            match=match,
            target=target,
            ignore=ignore,
            repeat=self._word((*key_path, "repeat"), table.get("repeat", "all"), REPEAT_CHOICES),
            copies=self._word((*key_path, "copies"), table["copies"], COPIES_CHOICES) if "copies" in table else "",
            field_map_options=self._field_map_options((*key_path, "serves"), table["serves"])
            if "serves" in table
            else None,
            sidecar_fields=self._sidecar_fields((*key_path, "set"), table.get("set", {})),
            context=self._words((*key_path, "context"), table["context"], VOLUME_TYPES) if "context" in table else (),
            conditions=conditions,
            session=session,
        )

    def _check_text(self, key_path: KeyPath, table: Mapping[str, Any]) -> None:
        """Check that the value of `as` or `ignore` is a text that is not empty. The table has one of the two."""
        key, example = ("as", "func/task-rest_bold") if "as" in table else ("ignore", "localizer")
        if not isinstance(table[key], str) or not table[key]:
            self._file.refuse_value((*key_path, key), table[key], f'a text, such as "{example}"')

    def _check_template(self, key_path: KeyPath, target: str, captures: frozenset[str]) -> None:
        try:
            check_template(target, captures, self._schema)
        except TargetError as error:
            self._file.refuse(key_path, error.message, error.hint)

    def _conditions(self, key_path: KeyPath, match: Mapping[str, Any]) -> tuple[Condition, ...]:
        return tuple(self._condition((*key_path, key), key, value) for key, value in match.items())

    def _condition(self, key_path: KeyPath, key: str, value: Any) -> Condition:
        try:
            if key == _NOT:
                nested = self._conditions(key_path, as_mapping(value))
                return Condition(key, value, lambda facts: facts, lambda facts: accept_unless(nested, facts))
            match_key = self._key(key_path, key)
            return Condition(key, value, match_key.value_of, match_key.read(value))
        except WrongValueError as error:
            self._file.refuse_value(key_path, value, str(error))

    def _key(self, key_path: KeyPath, key: str) -> MatchKey:
        """Return how a key of `match` is compared: one of KEYS, or a sidecar field. Other keys are refused."""
        if key in KEYS:
            return KEYS[key]
        if key in self._fields:
            return sidecar_key(key)
        self._file.refuse_unknown_keys(
            key_path[:-1], {key: None}, (*KEYS, _NOT, *sorted(self._fields)) if key[:1].isupper() else KEYS
        )
        raise AssertionError(key)  # not reached: the key is unknown

    def _captures(self, key_path: KeyPath, match: Mapping[str, Any]) -> frozenset[str]:
        """Return the names that `as` can use in braces because `match` captures them."""
        captures: set[str] = set()
        for key, value in match.items():
            if key in PATTERN_KEYS or key in self._fields:
                names = captured_names(value, is_regex=key == "name_regex")
                if twice := captures & names:
                    hint = "Give one of them another name."
                    self._file.refuse((*key_path, key), f"{{{min(twice)}}} is captured twice.", hint)
                captures |= names
        return frozenset(captures)

    def _field_map_options(self, key_path: KeyPath, value: Any) -> FieldMapOptions:
        if not isinstance(value, dict):
            self._file.refuse_value(key_path, value, '{ by = ["shim", "nearest-time"], write = ["B0FieldIdentifier"] }')
        self._file.refuse_unknown_keys(key_path, value, ("by", "write"))
        return FieldMapOptions(
            self._words((*key_path, "by"), value.get("by", [*SERVES_BY]), SERVES_BY),
            self._words((*key_path, "write"), value.get("write", [*SERVES_WRITE]), SERVES_WRITE),
        )

    def _sidecar_fields(self, key_path: KeyPath, value: Any) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            self._file.refuse_value(
                key_path, value, "a table of sidecar fields, such as { BackgroundSuppression = true }"
            )
        self._file.refuse_unknown_keys(key_path, value, sorted(self._fields))
        check_values(self._file, key_path, value, self._schema)
        return value

    def _word(self, key_path: KeyPath, value: Any, choices: tuple[str, ...]) -> str:
        if value not in choices:
            self._file.refuse(key_path, f"{value!r} is not known.", f"Write one of: {', '.join(choices)}.")
        return str(value)

    def _words(self, key_path: KeyPath, value: Any, choices: tuple[str, ...]) -> tuple[str, ...]:
        words = self._file.texts(key_path, value, choices[0])
        for word in words:
            if word not in choices:
                self._file.refuse(key_path, f"{word!r} is not known.", f"Write some of: {', '.join(choices)}.")
        return words
