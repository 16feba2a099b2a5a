"""Keeps patients' ids and names out of what is written, where a session id is to stand in their place."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from qxbatch.model import SessionReport, Value
from qxbatch.problems import Problem

Hide = Callable[[str], str]
"""Text in, text without identities out."""

_SHORTEST = 3
"""A shorter name would be found inside ordinary words."""
_BETWEEN = r"[\s^=,._-]*"
"""How the parts of a name are joined: `Doe^Jane` in headers, `DOE_JANE` or `Doe Jane` in file names."""
_PART = re.compile(r"[\s^=,._-]+")
_NOBODY = ("anon", "anonymous", "anonymized", "anonymised", "unknown", "none", "patient", "phantom", "test")
"""What stands in place of a name already; such words are in many a log."""
_DESCRIPTIONS = ("SeriesDescription", "ProtocolName", "SequenceName", "StudyDescription", "ImageComments")
"""Free text at the scanner; the other fields are identifiers and numbers that only look alike."""


class HeaderLike(Protocol):
    """A header of the core, or a mapping of DICOM keywords."""

    def get(self, field: str, /) -> Value:
        """Return one field's value; None when absent."""


def nothing_to_hide(text: str) -> str:
    """Return the text as it is."""
    return text


def hiding(headers: Iterable[HeaderLike], session_id: str) -> Hide:
    """Return what turns each patient id and name of some headers into the session id, in any case, as whole words.

    Where converters and readers count files (`Found 301 DICOM`), a number stays one though it is somebody's id.
    """
    forms = sorted({form for header in headers for form in _forms(header)}, key=lambda form: (-len(form), form))
    if not forms:
        return nothing_to_hide
    words = re.compile("|".join(forms), re.IGNORECASE)
    return lambda text: words.sub(lambda _: session_id, text)


def _forms(header: HeaderLike) -> Iterable[str]:
    """Return patterns of a header's id and name; a name also with its parts the other way round."""
    for value in _texts(header, "PatientID"):
        yield from _pattern([part for part in _PART.split(value) if part], value)
    for value in _texts(header, "PatientName"):
        parts = [part for part in _PART.split(value) if part]
        yield from _pattern(parts, value)
        yield from _pattern(parts[::-1], value)


def _pattern(parts: list[str], value: str) -> Iterable[str]:
    if sum(map(len, parts)) < _SHORTEST or value.casefold() in _NOBODY:
        return
    # digits among digits and dots are a part of a number, a time or a UID
    edges = (r"(?<![\d.])", r"(?!\.?\d)(?! DICOM\b)") if value.isdigit() else ("", "")
    yield rf"(?<![^\W_]){edges[0]}{_BETWEEN.join(map(re.escape, parts))}{edges[1]}(?![^\W_])"


def _texts(header: HeaderLike, field: str) -> list[str]:
    try:
        found = header.get(field)
    except KeyError:
        return []
    values = found if isinstance(found, list) else [] if found is None else [found]
    return [str(value).strip() for value in values]


def hidden_header(header: Mapping[str, Value], hide: Hide) -> dict[str, Value]:
    """Return a header whose free text is without identities; the id and the name themselves stay, and are not told."""
    return {field: _hidden_value(value, hide) if field in _DESCRIPTIONS else value for field, value in header.items()}


def _hidden_value(value: Value, hide: Hide) -> Value:
    if isinstance(value, list):
        return [hide(str(item)) for item in value]
    return hide(value) if isinstance(value, str) else value


def hidden_problem(problem: Problem, hide: Hide) -> Problem:
    """Return a problem whose texts are without identities."""
    return replace(problem, subject=hide(problem.subject), message=hide(problem.message), hint=hide(problem.hint))


def hidden_report(report: SessionReport, hide: Hide) -> SessionReport:
    """Return a report that names packets and files without identities."""
    if hide is nothing_to_hide:
        return report
    return replace(
        report,
        packet=hide(report.packet),
        problems=tuple(hidden_problem(problem, hide) for problem in report.problems),
        archived=None if report.archived is None else report.archived.with_name(hide(report.archived.name)),
    )
