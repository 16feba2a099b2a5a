"""Conversions, problems and reports with identities redacted, if the session id replaces the patient's id and name.

Commands and options of qxbatch in problems and commands stay, even if a patient's id or name is such a word: `--overwrite=yes`.
"""

import re
from dataclasses import replace
from functools import cache
from typing import Any

from qxbatch.acquisition import FREE_TEXTS, Acquisition
from qxbatch.deidentify import Redact, no_redaction
from qxbatch.model import Conversion, SessionReport
from qxbatch.problems import Problem
from qxbatch.settings.parameters import PARAMETERS

_NUMBERED = re.compile(r"(?:series|image) [0-9]+")
"""The subject of a problem that contains no name."""


def redacted_conversion(conversion: Conversion, redact: Redact) -> Conversion:
    """Return a conversion with identities redacted in its log, facts and problems.

    After the redaction, U+FFFD replaces the bytes of the converter's output that are not UTF-8. The redaction needs
    these bytes, since a name can contain some.
    """
    return replace(
        conversion,
        log=_readable(redact(conversion.log)),
        acquisition=None if conversion.acquisition is None else _redacted_facts(conversion.acquisition, redact),
        problems=tuple(_readable_problem(redacted_problem(problem, redact)) for problem in conversion.problems),
    )


def _readable_problem(problem: Problem) -> Problem:
    return replace(problem, message=_readable(problem.message))


def _readable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _redacted_facts(facts: Acquisition, redact: Redact) -> Acquisition:
    """Return facts whose free text names no patient."""
    texts = ((name, getattr(facts, name)) for name in FREE_TEXTS)
    redacted: dict[str, Any] = {name: redact(text) for name, text in texts if text is not None}
    return replace(facts, **redacted)


def redacted_text(text: str, redact: Redact) -> str:
    """Return a text or command with identities redacted, except in the commands, options and choices of qxbatch."""
    pieces, position = [], 0
    for match in _qxbatch_words().finditer(text):
        pieces += [redact(text[position : match.start()]), match[0]]
        position = match.end()
    return "".join([*pieces, redact(text[position:])])


@cache
def _qxbatch_words() -> re.Pattern[str]:
    """Return a pattern for `qxbatch COMMAND`, and for an option, with its value if that is one of its choices, yes, no or none."""
    options = []
    for parameter in PARAMETERS:
        choices = "|".join(map(re.escape, (*parameter.choices, "yes", "no", "none")))
        options.append(rf"{parameter.option}(?![\w-])(?:=(?:{choices})(?![^\s`'\",;:.)]))?")
    return re.compile(rf"(?<![^\s`'\"(])(?:qxbatch(?: [a-z]+(?=[ `]|\Z))?(?=[ `]|\Z)|{'|'.join(options)})")


def redacted_problem(problem: Problem, redact: Redact) -> Problem:
    """Return a problem without identities in its texts, and without a command that contains one."""
    if redact is no_redaction:
        return problem
    subject = problem.subject if _NUMBERED.fullmatch(problem.subject) else redact(problem.subject)
    message = redacted_text(problem.message, redact)
    # with a redacted name, the command would not work
    command = problem.command if redacted_text(problem.command, redact) == problem.command else ""
    return replace(problem, subject=subject, message=message, hint=redacted_text(problem.hint, redact), command=command)


def redacted_report(report: SessionReport, redact: Redact) -> SessionReport:
    """Return a report without identities in its problems and in the names of packets."""
    if redact is no_redaction:
        return report
    return replace(
        report,
        packet=redact(report.packet),
        problems=tuple(redacted_problem(problem, redact) for problem in report.problems),
        archived=None if report.archived is None else report.archived.with_name(redact(report.archived.name)),
    )
