"""The problems of a session as a whole: all except those of conversions and images."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from qxbatch.ingest.assemble import SortedSession
from qxbatch.ingest.left_out import LeftOut
from qxbatch.ingest.reading_problems import duplicates_warnings, joined_series_notes, several_studies_warnings
from qxbatch.model import Conversion, State
from qxbatch.parrec.pairing import LONE_PAR
from qxbatch.problems import Code, Problem, Severity
from qxbatch.record.job import Job
from qxbatch.record.left_out import left_out_of
from qxbatch.record.redacted import redacted_problem


class SessionProblems(NamedTuple):
    """Problems of a session, and the members that were left out of it, which are also in `problems`."""

    problems: tuple[Problem, ...]
    left_out: LeftOut


def session_problems(job: Job, sorted_session: SortedSession, conversions: Sequence[Conversion]) -> SessionProblems:
    """Return the problems of a session, except those of conversions and images, with identities redacted."""
    left_out = left_out_of(job, sorted_session, conversions)
    reading_problems = (
        *several_studies_warnings(job.reading.groups(), sorted_session),
        *joined_series_notes(sorted_session),
        *duplicates_warnings(job.reading, sorted_session),
        # the header of a member that was left out may not have been read: its path may contain the patient's name
        *(
            redacted_problem(problem, job.redact_member_paths)
            for problem in left_out.problems(sorted_session.session.id)
        ),
    )
    conversion_requested = any(conversion.state is not State.NOT_REQUESTED for conversion in conversions)
    sorting_problems = (
        _as_error(problem) if conversion_requested and problem.message == LONE_PAR else problem
        for problem in sorted_session.problems
    )
    problems = (
        *job.problems,
        *sorting_problems,
        *_no_images_problems(sorted_session.session.id, conversions),
        *reading_problems,
    )
    return SessionProblems(tuple(redacted_problem(problem, sorted_session.redact) for problem in problems), left_out)


def _no_images_problems(session: str, conversions: Sequence[Conversion]) -> list[Problem]:
    """Return the problem of a session without series or without images; none if one of its series has a warning or an error."""
    problems = [problem for conversion in conversions for problem in conversion.problems]
    hint = "Check that the export is complete."
    if not conversions:  # after a split, the only files of one patient can be, for example, a presentation state
        message = "contains no series, only files that are not sorted."
        return [Problem(Code.NO_IMAGES, session, message, hint, Severity.WARNING)]
    if any(conversion.state is not State.NOTHING for conversion in conversions):
        return []
    if any(problem.severity is not Severity.INFO for problem in problems):
        return []
    return [Problem(Code.NO_IMAGES, session, "contains no images, only reports or other data.", hint, Severity.WARNING)]


def _as_error(problem: Problem) -> Problem:
    """Return the problem of a PAR without REC as that of a series that could not be converted."""
    return replace(problem, severity=Severity.ERROR)
