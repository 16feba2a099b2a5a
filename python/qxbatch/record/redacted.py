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
from qxbatch.shell_words import split_shell_words
from qxbatch.visible import shell_word

_NUMBERED = re.compile(r"(?:series|image) [0-9]+")
"""The subject of a problem that contains no name."""
OMITTED = "The command is not printed, since it may name a patient"
"""Part of a hint, in place of a command that contains an identity."""


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
    if redacted_text(problem.command, redact) != problem.command:  # with a redacted name, it would not work
        problem = without_command(problem, redact)
    return replace(problem, subject=subject, message=message, hint=redacted_text(problem.hint, redact))


def without_command(problem: Problem, redact: Redact) -> Problem:
    """Return a problem without its command. Its hint then names the options with which to repeat this run, if there are any."""
    if not problem.command:
        return problem
    options = " ".join(word for word in _options(problem.command) if redacted_text(word, redact) == word)
    omitted = f"{OMITTED}; repeat the command of this run with {options}." if options else f"{OMITTED}."
    hint = " ".join(filter(None, (re.sub(":$", ".", problem.hint), omitted)))
    return replace(problem, hint=hint, command="")


def _options(command: str) -> list[str]:
    """Return the options of a command that imports chosen sessions, quoted for a shell; none for other commands."""
    try:
        words = split_shell_words(command)
    except ValueError:  # several commands
        return []
    options = [shell_word(word) for word in words if word.startswith("--")]
    return options if any("--sessions=" in option for option in options) else []


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
