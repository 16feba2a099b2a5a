"""A rule of a rule file: read and checked."""

from collections.abc import Mapping
from typing import Any

from qxbatch.bids.model import Condition, Rule, Serves
from qxbatch.bids.rules.field_tables import check_values
from qxbatch.bids.rules.match_keys import CAPTURING, KEYS, OF_CONVERTER, MatchKey, sidecar_key
from qxbatch.bids.rules.match_values import as_mapping, captured_names
from qxbatch.bids.rules.matching import accept_unless
from qxbatch.bids.schema.names import Schema
from qxbatch.bids.schema.target import TargetError, check_template
from qxbatch.protocol.lines import Place
from qxbatch.protocol.toml_file import TomlFile
from qxbatch.protocol.values import WrongValueError

OPTIONS = ("as", "ignore", "repeat", "copies", "serves", "set", "context")
REPEAT = ("last", "all", "longest", "complete")
COPIES = ("last", "longest", "complete")
SERVES_BY = ("shim", "geometry", "nearest-time")
SERVES_WRITE = ("B0FieldIdentifier", "IntendedFor")
CONTEXT = ("control", "label", "m0scan", "deltam", "cbf", "noRF")
_NOT = "not"


class RuleReader:
    """Reads rules from tables. Each method raises UsageError."""

    def __init__(self, file: TomlFile, schema: Schema) -> None:
        self._file = file
        self._schema = schema
        self._fields = {*schema.metadata, *OF_CONVERTER}

    def rule(self, place: Place, table: Mapping[str, Any]) -> Rule:
        """Return the rule of a table `[[rule]]`."""
        self._file.refuse_unknown_keys(place, table, ("match", *OPTIONS))
        match = table.get("match")
        if not isinstance(match, dict) or not match:
            where = (*place, "match") if "match" in table else place
            self._file.refuse(where, "a rule needs a table match.", 'Write match = { name = "rest*" }.')
        return self._build(place, match, table, "")

    def override(self, place: Place, session: str, table: Mapping[str, Any]) -> Rule:
        """Return the rule of one series of one session."""
        self._file.refuse_unknown_keys(place, table, OPTIONS)
        number, _dot, image = str(place[-1]).partition(".")
        key = "n" if number.startswith("n") else "number"
        match = {key: int(number.removeprefix("n")), **({"image": int(image)} if image else {})}
        return self._build(place, match, table, session)

    def _build(self, place: Place, match: Mapping[str, Any], table: Mapping[str, Any], session: str) -> Rule:
        conditions = self._conditions((*place, "match"), match)
        captures = self._captures((*place, "match"), match)
        target, ignore = table.get("as", ""), table.get("ignore", "")
        if ("as" in table) == ("ignore" in table):
            what = "has both as and ignore" if "as" in table else "has neither as nor ignore"
            self._file.refuse(place, f"the rule {what}.", 'Write as = "func/task-rest_bold", or ignore = "the reason".')
        self._check_target(place, target, ignore, captures)
        return Rule(
            line=self._file.line(place),
            match=match,
            target=target,
            ignore=ignore,
            repeat=self._word((*place, "repeat"), table.get("repeat", "all"), REPEAT),
            copies=self._word((*place, "copies"), table["copies"], COPIES) if "copies" in table else "",
            serves=self._serves((*place, "serves"), table["serves"]) if "serves" in table else None,
            fields=self._set((*place, "set"), table.get("set", {})),
            context=self._words((*place, "context"), table["context"], CONTEXT) if "context" in table else (),
            conditions=conditions,
            session=session,
        )

    def _check_target(self, place: Place, target: Any, ignore: Any, captures: frozenset[str]) -> None:
        for key, value in (("as", target), ("ignore", ignore)):
            if not isinstance(value, str) or (not value and key == "ignore" and not target):
                example = "func/task-rest_bold" if key == "as" else "localizer"
                self._file.refuse_value((*place, key), value, f'a text, such as "{example}"')
        try:
            if not ignore:
                check_template(target, captures, self._schema)
        except TargetError as error:
            self._file.refuse((*place, "as"), error.message, error.hint)

    def _conditions(self, place: Place, match: Mapping[str, Any]) -> tuple[Condition, ...]:
        return tuple(self._condition((*place, key), key, value) for key, value in match.items())

    def _condition(self, place: Place, key: str, value: Any) -> Condition:
        try:
            if key == _NOT:
                nested = self._conditions(place, as_mapping(value))
                return Condition(key, value, lambda facts: facts, lambda facts: accept_unless(nested, facts))
            match_key = self._key(place, key)
            return Condition(key, value, match_key.value_of, match_key.read(value))
        except WrongValueError as error:
            self._file.refuse_value(place, value, str(error))

    def _key(self, place: Place, key: str) -> MatchKey:
        if key in KEYS:
            return KEYS[key]
        if key in self._fields:
            return sidecar_key(key)
        self._file.refuse_unknown_keys(
            place[:-1], {key: None}, (*KEYS, _NOT, *sorted(self._fields)) if key[:1].isupper() else KEYS
        )
        raise AssertionError(key)

    def _captures(self, place: Place, match: Mapping[str, Any]) -> frozenset[str]:
        captures: set[str] = set()
        for key in CAPTURING:
            if key in match:
                names = captured_names(match[key], is_regex=key == "name_regex")
                if twice := captures & names:
                    hint = "Give one of them another name."
                    self._file.refuse((*place, key), f"{{{min(twice)}}} is captured twice.", hint)
                captures |= names
        return frozenset(captures)

    def _serves(self, place: Place, value: Any) -> Serves:
        if not isinstance(value, dict):
            self._file.refuse_value(place, value, '{ by = ["shim", "nearest-time"], write = ["B0FieldIdentifier"] }')
        self._file.refuse_unknown_keys(place, value, ("by", "write"))
        return Serves(
            self._words((*place, "by"), value.get("by", [*SERVES_BY]), SERVES_BY),
            self._words((*place, "write"), value.get("write", [*SERVES_WRITE]), SERVES_WRITE),
        )

    def _set(self, place: Place, value: Any) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            self._file.refuse_value(place, value, "a table of sidecar fields, such as { BackgroundSuppression = true }")
        self._file.refuse_unknown_keys(place, value, sorted(self._fields))
        check_values(self._file, place, value, self._schema)
        return value

    def _word(self, place: Place, value: Any, choices: tuple[str, ...]) -> str:
        if value not in choices:
            self._file.refuse(place, f"{value!r} is not known.", f"Write one of: {', '.join(choices)}.")
        return str(value)

    def _words(self, place: Place, value: Any, choices: tuple[str, ...]) -> tuple[str, ...]:
        words = self._file.texts(place, value, choices[0])
        for word in words:
            if word not in choices:
                self._file.refuse(place, f"{word!r} is not known.", f"Write some of: {', '.join(choices)}.")
        return words
