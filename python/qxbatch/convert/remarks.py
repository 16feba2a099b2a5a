"""Problems of one series: reviews and notes."""

from qxbatch.model import Series
from qxbatch.problems import Code, Problem, Severity


def review(series: Series, message: str) -> Problem:
    """Return a warning that marks a series for review."""
    return Problem(
        Code.CONVERT_REVIEW,
        subject(series),
        message,
        "Look at its images before using them.",
        Severity.WARNING,
    )


def note(series: Series, message: str) -> Problem:
    """Return what is worth knowing of a series and no fault."""
    return Problem(Code.CONVERT_NOTE, subject(series), message, "", Severity.INFO)


def subject(series: Series) -> str:
    """Return how problems name a series."""
    return f"series {series.n}"
