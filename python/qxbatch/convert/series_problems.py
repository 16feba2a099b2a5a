"""Problems of one series: warnings that ask for a review, and notes."""

from qxbatch.model import Series
from qxbatch.problems import LOOK_AT_IMAGES, Code, Problem, Severity


def review_problem(series: Series, message: str) -> Problem:
    """Return a warning that marks a series for review."""
    return Problem(
        Code.CONVERT_REVIEW,
        subject(series),
        message,
        LOOK_AT_IMAGES,
        Severity.WARNING,
    )


def note_problem(series: Series, message: str) -> Problem:
    """Return a remark about a series that is not a fault."""
    return Problem(Code.CONVERT_NOTE, subject(series), message, "", Severity.INFO)


def subject(series: Series) -> str:
    """Return the name of a series in problems."""
    return f"series {series.n}"
