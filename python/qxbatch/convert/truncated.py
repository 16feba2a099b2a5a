"""Reports the files of a series that are cut short or damaged (`SeriesFrames.truncated_files`), whatever the converter's result."""

from collections.abc import Sequence
from dataclasses import replace

from qxbatch.convert.series_problems import subject
from qxbatch.model import Conversion, State
from qxbatch.problems import Code, Problem, Severity

MAX_NAMES = 3
"""Maximum number of names in a message."""
_HINT = "Copy these files again from their source, and import the whole packet with --overwrite=yes."


def with_truncated_files(conversion: Conversion, names: Sequence[str]) -> Conversion:
    """Return a conversion with a problem about its truncated files; one that was converted is then partial.

    If it failed, the files are added to the message of the failure instead.
    """
    if not names:
        return conversion
    text = _truncated_text(names, conversion.series.files)
    failed = conversion.state is State.FAILED
    problems = tuple(
        replace(problem, message=f"{text}; {problem.message}", hint=f"{_HINT} {problem.hint}")
        if failed and problem.code is Code.CONVERT_FAILED
        else problem
        for problem in conversion.problems
    )
    if not failed:
        message = f"{text}, so its image is incomplete." if conversion.outputs else f"{text}."
        series = subject(conversion.series)
        problems = (Problem(Code.CONVERT_PARTIAL, series, message, _HINT, Severity.WARNING), *problems)
    state = State.PARTIAL if conversion.state is State.CONVERTED else conversion.state
    return replace(conversion, state=state, problems=problems, truncated_files=tuple(names))


def _truncated_text(names: Sequence[str], files: int) -> str:
    """Return how many files are cut short, and which: `2 of 6 files are cut short (a.dcm, b.dcm)`."""
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    if files == 1:
        return f"its only file is cut short ({names[0]})"
    cut = "is cut short" if len(names) == 1 else "are cut short"
    return f"{len(names)} of {files} files {cut} ({', '.join(names[:MAX_NAMES])}{more})"
