"""summary.json: a session and its import, for programs (docs/summary.md)."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qxbatch.acquisition import Acquisition, SeriesVerdict
from qxbatch.model import State
from qxbatch.problems import Problem
from qxbatch.session.acquisition import acquisition_value, without_facts
from qxbatch.session.exact_json import read_exact, write_exact
from qxbatch.session.json_fields import FieldError, Fields
from qxbatch.session.summary_parts import (
    ImageSummary,
    LedgerCounts,
    PacketSummary,
    SeriesSummary,
    SessionIdentity,
    Split,
    image_value,
    ledger_counts_value,
    packet_value,
    problem_value,
    read_image,
    read_ledger_counts,
    read_packet,
    read_problem,
    read_series,
    read_session_identity,
    read_split,
    series_value,
    session_value,
)

SCHEMA = 2
"""The schema that is written; this and older ones can be read."""
FACTS_SCHEMA = 2
"""The first schema in which each series has facts of its acquisition, unless its headers have none that can be read."""
_GLOBAL_SIGNAL = re.compile(r'"global_signal": \[[^"\[\]{}]*\]')
"""Matches a field whose lines `summary_text` joins into one. It cannot match inside a JSON string, where quotes are escaped."""
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_REQUIRED = ("qxbatch", "session", "packets", "series", "images", "ledger", "problems")


class SummaryError(ValueError):
    """A summary that cannot be read; the message names its path."""


class NewerSchemaError(SummaryError):
    """A summary of a schema that this version does not know."""


@dataclass(frozen=True)
class Summary:
    """The summary of a session."""

    qxbatch: str
    """The version that made the session."""
    session: SessionIdentity
    packets: tuple[PacketSummary, ...]
    series: tuple[SeriesSummary, ...]
    """In the order of their n (docs/numbers.md)."""
    images: tuple[ImageSummary, ...]
    """In the order of their numbers."""
    ledger: LedgerCounts
    problems: tuple[Problem, ...] = ()
    converters: Mapping[str, str] = field(default_factory=dict)
    """Maps names to versions."""
    numbers: Mapping[int, int] = field(default_factory=dict)
    """Maps each additional n (n') of a series with more than nine images to the n of the series (docs/numbers.md)."""
    split: Split | None = None
    """None if the packets became one session."""
    times: Mapping[str, float] = field(default_factory=dict)
    """`seconds` is the duration of the import."""
    host: Mapping[str, str] = field(default_factory=dict)
    """`name` and `system` of the machine."""
    command: str = ""
    """The command that rebuilds the session."""
    schema: int = SCHEMA
    """The schema of the text from which it was read; the current one if it was not read."""

    @property
    def is_only_sorted(self) -> bool:
        """Return whether the session has series, and all of them are in the state NOT_REQUESTED."""
        return bool(self.series) and all(series.state is State.NOT_REQUESTED for series in self.series)

    def to_json(self) -> str:
        """Return the summary as the text of summary.json, in the current schema, keys in alphabetical order."""
        content: dict[str, Any] = {
            "schema": SCHEMA,
            "qxbatch": self.qxbatch,
            "converters": dict(self.converters),
            "session": session_value(self.session),
            "packets": [packet_value(packet) for packet in self.packets],
            "series": [series_value(series) for series in self.series],
            "images": [image_value(image) for image in self.images],
            "numbers": {str(number): n for number, n in sorted(self.numbers.items())},
            "ledger": ledger_counts_value(self.ledger),
            "problems": [problem_value(problem) for problem in self.problems],
            "times": dict(self.times),
            "host": dict(self.host),
        }
        if self.command:
            content["command"] = self.command
        if self.split is not None:
            content["parted"] = {"from": self.split.source, "sessions": dict(self.split.sessions)}
        return summary_text(content)

    @classmethod
    def from_json(cls, text: str | bytes, path: Path) -> "Summary":
        """Return the summary in a text; fields that an older schema lacks get their defaults.

        `path` is named in errors. Raises SummaryError, and NewerSchemaError for a newer schema.
        """
        try:
            fields = Fields(json.loads(text))
            schema = fields.integer("schema")
            if schema > SCHEMA:
                message = f"{path}: has schema {schema}, this version of qxbatch reads up to {SCHEMA}. Update qxbatch."
                raise NewerSchemaError(message)
            return _read_summary(fields, schema)
        except SummaryError:
            raise
        except (ValueError, RecursionError) as error:
            raise SummaryError(f"{path}: cannot be read ({error})") from None


def _read_summary(fields: Fields, schema: int) -> Summary:
    for key in _REQUIRED:
        fields.value(key)
    numbers, times = fields.json_object("numbers"), fields.json_object("times")
    return Summary(
        qxbatch=fields.text("qxbatch"),
        session=read_session_identity(fields.json_object("session")),
        packets=tuple(map(read_packet, fields.json_objects("packets"))),
        series=tuple(map(read_series, fields.json_objects("series"))),
        images=tuple(map(read_image, fields.json_objects("images"))),
        ledger=read_ledger_counts(fields.json_object("ledger")),
        problems=tuple(map(read_problem, fields.json_objects("problems"))),
        converters=fields.texts_by_name("converters"),
        numbers={_number(key): numbers.integer(key) for key in numbers.keys()},  # noqa: SIM118 - no mapping
        split=read_split(fields.json_object("parted")) if "parted" in fields else None,
        times={key: times.number(key) for key in times.keys()},  # noqa: SIM118 - no mapping
        host=fields.texts_by_name("host"),
        command=fields.text("command", ""),
        schema=schema,
    )


def summary_text(content: Mapping[str, Any]) -> str:
    """Return the content of a summary as the text of summary.json."""
    return _summary_form(json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True, default=str))


def _summary_form(text: str) -> str:
    """Return a JSON text in the form of summary.json. Lone surrogates are escaped: they have no bytes in UTF-8."""
    text = _GLOBAL_SIGNAL.sub(lambda match: " ".join(match[0].split()), text) + "\n"
    return _LONE_SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def with_facts(text: str, facts: Mapping[int, tuple[Acquisition, SeriesVerdict]]) -> str:
    """Return the text of a summary with new acquisition facts and verdicts of series, and with the current schema.

    `text` is a summary that can be read. `facts` maps n to the facts and verdict of a series; other series are not changed. A
    series whose verdict is REPEATED keeps it if the new one is COMPLETE. Keys that are not facts stay, and all digits of their
    numbers, since users can have added them. If no series changes, the same text is returned.
    """
    content = read_exact(text)
    old_series = [dict(series) for series in content["series"]]
    for series in content["series"]:
        acquisition, verdict = facts.get(series["n"], (None, None))
        if acquisition is None or verdict is None:
            continue
        if (verdict, series.get("verdict")) != (SeriesVerdict.COMPLETE, SeriesVerdict.REPEATED):
            series["verdict"] = str(verdict)
        values = without_facts(series.pop("acquisition", None) or {}) | acquisition_value(acquisition)
        series.update({"acquisition": values} if values else {})
    return text if content["series"] == old_series else _summary_form(write_exact({**content, "schema": SCHEMA}))


def repeated_key(text: str) -> str | None:
    """Return a key that an object of a JSON text has twice; None if there is none. Only the last one is read."""
    repeated: list[str] = []

    def read(pairs: list[tuple[str, object]]) -> dict[str, object]:
        counts = Counter(key for key, _value in pairs)
        repeated.extend(key for key, count in counts.items() if count > 1)
        return dict(pairs)

    json.loads(text, object_pairs_hook=read)
    return next(iter(repeated), None)


def _number(text: str) -> int:
    if not text.isdecimal():
        raise FieldError(f"numbers has the key {text!r}, which is not a number")
    return int(text)
