"""What can go wrong with data, as values, and with a request, as an exception."""

from dataclasses import dataclass
from enum import StrEnum

from qxbatch.exits import ExitStatus


class Code(StrEnum):
    """The closed list of problems (docs/problems.md explains each; a test holds the two together)."""

    # a packet
    DAMAGED = "damaged"
    NO_IMAGES = "no-images"
    MIXED_PATIENTS = "mixed-patients"
    SAME_SESSION = "same-session"
    LOOSE_FILES = "loose-files"
    BAD_NAME = "bad-name"
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
    DIFFERENT_NAMES = "different-names"
    DAMAGED_KEPT = "damaged-kept"
    LEFT_OUT = "left-out"
    ENCRYPTED_KEPT = "encrypted-kept"
    """Only in sessions that a former version imported; now LEFT_OUT."""
    HEADER_FALLBACK = "header-fallback"
    DUPLICATES = "duplicates"
    MORE_THAN_NINE = "more-than-nine"
    DELETE_MOVED = "delete-moved"
    REPLACED_KEPT = "replaced-kept"
    RECOVERED = "recovered"
    # information
    CONVERT_NOTE = "convert-note"
    JOINED_SERIES = "joined-series"
    SURROUNDED = "surrounded"


class Severity(StrEnum):
    """ERROR makes the run's exit status 1; WARNING does not. INFO is only in the summary and on the page."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Problem:
    """A thing that is wrong with a file, a series or a packet. The batch goes on."""

    code: Code
    subject: str
    """The path, series or packet it is about."""
    message: str
    """What is wrong, in one sentence."""
    hint: str = ""
    """What to do next."""
    severity: Severity = Severity.ERROR
    command: str = ""
    """The command of the shell that fixes this alone, ready to be copied."""

    def text(self) -> str:
        """Return the problem as one line for a person."""
        return " ".join(text for text in (f"{self.subject}: {self.message}", self.hint, self.command) if text)


class UsageError(Exception):
    """A wrong request, found before anything is written."""

    def __init__(self, message: str, hint: str = "", status: ExitStatus = ExitStatus.USAGE) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.status = status


class PacketError(Exception):
    """Ends one packet; the pipeline turns it into its Problem and goes on with the next."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text())
        self.problem = problem
