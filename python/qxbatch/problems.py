"""Problems of data (`Problem`, a value), wrong requests (`UsageError`), and the exception that ends a unit (`PacketError`)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from qxbatch.exits import ExitStatus


class Code(StrEnum):
    """The closed list of problems. docs/problems.md explains each; a test compares the two.

    An exceeded limit has the code of its consequence, as docs/problems.md lists.
    """

    # a packet
    DAMAGED = "damaged"
    DAMAGED_KEPT = "damaged-kept"
    UNOPENED = "unopened"
    NO_IMAGES = "no-images"
    MIXED_PATIENTS = "mixed-patients"
    SAME_SESSION = "same-session"
    LOOSE_FILES = "loose-files"
    BAD_NAME = "bad-name"
    SESSION_FOLDER = "session-folder"
    CHANGED = "changed"
    UNREADABLE = "unreadable"
    CANNOT_WRITE = "cannot-write"
    VERIFY = "verify"
    ARCHIVE = "archive"
    HELD = "held"
    EXISTS = "exists"
    INTERNAL = "internal"
    # a series
    CONVERT_FAILED = "convert-failed"
    CONVERT_PARTIAL = "convert-partial"
    CONVERT_REVIEW = "convert-review"
    NOTHING_TO_CONVERT = "nothing-to-convert"
    UNPAIRED = "unpaired"
    # warnings
    SEVERAL_STUDIES = "several-studies"
    MERGED_PATIENTS = "merged-patients"
    UNKNOWN_PATIENT = "unknown-patient"
    DIFFERENT_NAMES = "different-names"
    PROTOCOL = "protocol"
    LEFT_OUT = "left-out"
    ENCRYPTED_KEPT = "encrypted-kept"
    """Only in sessions that an older version imported; now LEFT_OUT."""
    HEADER_FALLBACK = "header-fallback"
    DUPLICATES = "duplicates"
    MORE_THAN_NINE = "more-than-nine"
    DELETE_MOVED = "delete-moved"
    REPLACED_KEPT = "replaced-kept"
    REPLACED_PATIENT = "replaced-patient"
    RECOVERED = "recovered"
    # information
    CONVERT_NOTE = "convert-note"
    JOINED_SERIES = "joined-series"
    SURROUNDED = "surrounded"


LOOK_AT_IMAGES = "Look at the images before using them."
"""The hint of warnings that doubt the images of a series."""
IMAGE_DOUBTS = frozenset({Code.CONVERT_PARTIAL, Code.CONVERT_REVIEW, Code.MORE_THAN_NINE})
"""Codes of warnings that doubt the images of a series: incomplete, damaged, or not as their headers say."""


class Severity(StrEnum):
    """ERROR sets the run's exit status to 1; WARNING does not. INFO is not in the report after the run."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Problem:
    """A problem of a file, a series or a packet. The batch continues."""

    code: Code
    subject: str
    """The path, series, session or packet it is about."""
    message: str
    """What is wrong, and what became of the data."""
    hint: str = ""
    """What to do next; empty if there is nothing to do."""
    severity: Severity = Severity.ERROR
    command: str = ""
    """The shell command that fixes only this problem, or lists more about it; empty if there is none."""
    has_remedy: bool = True
    """False: no command fixes it, although one fixes other problems with this code (pipeline/remedy.py)."""

    @property
    def doubts_images(self) -> bool:
        """Whether it is a warning that asks the user to look at the images of a series."""
        return self.code in IMAGE_DOUBTS and self.severity is Severity.WARNING

    def text(self) -> str:
        """Return the problem as one line for a person."""
        return " ".join(text for text in (f"{self.subject}: {self.message}", self.hint, self.command) if text)


_NUMBERED = re.compile(r"(\D+ )(\d+)")
_MAX_SUBJECTS = 10
"""Maximum number of subjects that a merged problem lists. Subjects such as `series 20` and `series 30` are all listed."""


def grouped(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems in order, without repetitions; those that differ only in their subject are merged into one.

    So are those whose hints differ only in the number of the series, such as `dcm2niix_20.log` and `dcm2niix_30.log`.

    >>> [problem.subject for problem in grouped(Problem(Code.UNPAIRED, f"series {n}", "no REC.") for n in (20, 30, 50))]
    ['series 20, 30 and 50']
    """
    groups: dict[tuple[object, ...], list[Problem]] = {}
    for problem in dict.fromkeys(problems):
        key = (problem.code, problem.message, _without_number(problem), problem.severity, problem.command)
        groups.setdefault(key, []).append(problem)
    return tuple(group[0] if len(group) == 1 else _merged(group) for group in groups.values())


def _without_number(problem: Problem) -> str:
    """Return the hint with `<n>` in place of the number in the subject: `dcm2niix_<n>.log` for `series 20`."""
    match = _NUMBERED.fullmatch(problem.subject)
    return re.sub(rf"(?<![0-9]){match[2]}(?![0-9])", "<n>", problem.hint) if match else problem.hint


def _merged(group: Sequence[Problem]) -> Problem:
    hints = {problem.hint for problem in group}
    return replace(
        group[0],
        subject=_subjects([problem.subject for problem in group]),
        hint=group[0].hint if len(hints) == 1 else _without_number(group[0]),
    )


def _subjects(subjects: Sequence[str]) -> str:
    matches = [_NUMBERED.fullmatch(subject) for subject in subjects]
    kinds = {match[1] if match else "" for match in matches}
    kind = kinds.pop() if len(kinds) == 1 else ""
    names = [subject.removeprefix(kind) for subject in subjects]
    if not kind and len(names) > _MAX_SUBJECTS:
        names = [*names[:_MAX_SUBJECTS], f"{len(names) - _MAX_SUBJECTS} more"]
    return f"{kind}{', '.join(names[:-1])} and {names[-1]}"


class UsageError(Exception):
    """Ends a command with `status`, for example because of wrong usage, a missing program, or a folder that cannot be written."""

    def __init__(
        self, message: str, hint: str = "", status: ExitStatus = ExitStatus.USAGE, *, quotes_names: bool = False
    ) -> None:
        super().__init__(f"{message} {hint}".rstrip())
        self.message = message
        self.hint = hint
        self.status = status
        self.quotes_names = quotes_names
        """Whether the hint can contain names of packets; the log leaves such a hint out."""


class PacketError(Exception):
    """Ends the import of one unit. The pipeline puts the problem into the report of the unit, and continues with other units."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text())
        self.problem = problem
