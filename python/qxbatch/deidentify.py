"""Replaces patients' ids and names by the session id in the texts of a session."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from qxbatch.model import SessionReport, Value
from qxbatch.name_patterns import joined_patterns, run_patterns, without_joints, word_patterns
from qxbatch.person_name import parse_name, person_tested, split_parts
from qxbatch.problems import Problem

Redact = Callable[[str], str]
"""Text in, text without identities out."""

FREE_TEXT = (
    "Free text, such as series descriptions and notes, can still identify a person: look at it before you share it."
)
"""Warning for users who rely on redaction."""
_SHORTEST = 3
"""Shorter ids and names are not replaced, since ordinary words contain them."""
_BETWEEN = r"[\s^=,._-]*"
"""Separators between the parts of an id: `AP 4`, `AP_4`."""
_PART = re.compile(r"[\s^=,._-]+")
_NOBODY = ("anon", "anonymous", "anonymized", "anonymised", "unknown", "none", "patient", "phantom", "test")
"""Placeholders for a name. They are not replaced, since they are common words in logs."""
_DESCRIPTIONS = (
    *("SeriesDescription", "ProtocolName", "SequenceName", "StudyDescription", "ImageComments"),
    *("InstitutionName", "StationName"),
)
"""Free text: each such field that record/summary.py stores is listed here, or it is written with the names in it.

The other fields contain identifiers and numbers, in which a match would be a coincidence.
"""


class HeaderLike(Protocol):
    """A header of the core, or a mapping of DICOM keywords."""

    def get(self, field: str, /) -> Value:
        """Return one field's value; None when absent."""


def unchanged(text: str) -> str:
    """Return the text as it is."""
    return text


def redaction(headers: Iterable[HeaderLike], session_id: str) -> Redact:
    """Return a function that replaces each patient id and name of some headers by the session id, in any case.

    Ids and names of phantoms are replaced as a whole, people's names part by part (qxbatch.name_patterns), also in
    descriptions whose spaces a converter removed. The session id itself does not change. A count of files
    (`Found 301 DICOM`) does not change either, even if the number is a patient's id.
    """
    ids: dict[str, None] = {}
    names: dict[str, None] = {}
    described: dict[str, None] = {}
    for header in headers:
        described |= dict.fromkeys(text for field in _DESCRIPTIONS for text in _texts(header, field))
        ids |= dict.fromkeys(_texts(header, "PatientID"))
        names |= dict.fromkeys(_texts(header, "PatientName"))
    parsed = [parse_name(value) for value in names]
    people = [name for name in parsed if name.is_real]
    tested = [name for name in map(person_tested, parsed) if name is not None]
    wholes = {form for value in ids for form in _whole(_PART.split(value), value)}
    wholes |= {form for value in names for parts in _orders(value) for form in _whole(parts, value)}
    longest_first = sorted(wholes, key=lambda form: (-len(form), form))
    # several parts in a row first, then single ones
    forms = [*longest_first, *run_patterns([*people, *tested]), *joined_patterns(people), *word_patterns(people)]
    if not forms:
        return unchanged
    session_pattern = rf"(?P<session>(?<![^\W_]){re.escape(session_id)}(?![^\W_]))"
    pattern = re.compile("|".join([session_pattern, *forms]), re.IGNORECASE)
    spaceless = {form for text in described for form in without_joints(text, _identities(pattern, text))}
    if spaceless:
        pattern = re.compile("|".join([session_pattern, *sorted(spaceless), *forms]), re.IGNORECASE)
    return lambda text: pattern.sub(lambda match: match[0] if match["session"] else session_id, text)


def _identities(pattern: re.Pattern[str], text: str) -> list[tuple[int, int]]:
    """Return where the pattern finds ids and names in a text."""
    return [match.span() for match in pattern.finditer(text) if not match["session"]]


def _orders(value: str) -> tuple[list[str], list[str]]:
    """Return the parts of a name in the written order, and in reverse order."""
    return split_parts(value), split_parts(value)[::-1]


def _whole(parts: list[str], value: str) -> Iterable[str]:
    """Yield the pattern of an id, or of a name, as a whole."""
    parts = [part for part in parts if part]
    if sum(map(len, parts)) < _SHORTEST or value.casefold() in _NOBODY:
        return
    # digits next to digits and dots belong to a number, a time or a UID
    edges = (r"(?<![\d.])", r"(?!\.?\d)(?! DICOM\b)") if value.isdigit() else ("", "")
    yield rf"(?<![^\W_]){edges[0]}{_BETWEEN.join(map(re.escape, parts))}{edges[1]}(?![^\W_])"


def _texts(header: HeaderLike, field: str) -> list[str]:
    try:
        value = header.get(field)
    except KeyError:
        return []
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [str(value).strip() for value in values]


def redacted_header(header: Mapping[str, Value], redact: Redact) -> dict[str, Value]:
    """Return a header without identities in its free text. It still contains id and name, which are not written."""
    return {field: _redacted(value, redact) if field in _DESCRIPTIONS else value for field, value in header.items()}


def _redacted(value: Value, redact: Redact) -> Value:
    if isinstance(value, list):
        return [redact(str(item)) for item in value]
    return redact(value) if isinstance(value, str) else value


def redacted_problem(problem: Problem, redact: Redact) -> Problem:
    """Return a problem without identities in its texts."""
    texts = (redact(text) for text in (problem.subject, problem.message, problem.hint))
    subject, message, hint = texts
    return replace(problem, subject=subject, message=message, hint=hint)


def redacted_report(report: SessionReport, redact: Redact) -> SessionReport:
    """Return a report without identities in the names of packets and files."""
    if redact is unchanged:
        return report
    return replace(
        report,
        packet=redact(report.packet),
        problems=tuple(redacted_problem(problem, redact) for problem in report.problems),
        archived=None if report.archived is None else report.archived.with_name(redact(report.archived.name)),
    )
