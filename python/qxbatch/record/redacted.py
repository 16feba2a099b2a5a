"""Problems and conversions of a session, without identities where the session id stands in place of the patient's."""

from dataclasses import replace

from qxbatch.deidentify import Redact, redacted_problem
from qxbatch.ingest.assemble import Part
from qxbatch.ingest.remarks import duplicates, joined_series, several_studies
from qxbatch.model import Conversion
from qxbatch.problems import Problem
from qxbatch.record.job import Job


def session_problems(job: Job, part: Part) -> tuple[Problem, ...]:
    """Return the problems of a session as a whole; those of its series and images are not among them."""
    remarks = (
        *several_studies(job.reading.groups(), part),
        *joined_series(part),
        *duplicates(job.reading, part),
        *job.left_out.of(part.rows).problems(part.session.id, folder_mode=job.unit.inbox is not None),
    )
    every = (*job.problems, *part.problems, *remarks)
    return tuple(redacted_problem(problem, part.hide) for problem in every)


def redacted_conversion(conversion: Conversion, hide: Redact) -> Conversion:
    """Return a conversion whose log and problems name no patient where `hide` conceals the identity."""
    return replace(
        conversion,
        log=hide(conversion.log),
        problems=tuple(redacted_problem(problem, hide) for problem in conversion.problems),
    )
