"""Problems and conversions of a session, without identities where the session id stands in place of the patient's."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from qxbatch.acquisition import Acquisition
from qxbatch.deidentify import Redact, redacted_problem
from qxbatch.ingest.assemble import Part
from qxbatch.ingest.left_out import LeftOut
from qxbatch.ingest.remarks import duplicates, joined_series, several_studies
from qxbatch.model import Conversion, State
from qxbatch.parrec.pairing import LONE_PAR
from qxbatch.problems import Problem, Severity
from qxbatch.record.job import Job
from qxbatch.record.left_out import left_out_of


class Remarks(NamedTuple):
    """What there is to say of a session."""

    problems: tuple[Problem, ...]
    left_out: LeftOut


def session_remarks(job: Job, part: Part, conversions: Sequence[Conversion]) -> Remarks:
    """Return what there is to say of a session as a whole; problems of its series and images are not among it."""
    missing = left_out_of(job, part, conversions)
    remarks = (
        *several_studies(job.reading.groups(), part),
        *joined_series(part),
        *duplicates(job.reading, part),
        *missing.problems(part.session.id),
    )
    asked = any(each.state is not State.NOT_ASKED for each in conversions)
    of_part = (_failed(each) if asked and each.message == LONE_PAR else each for each in part.problems)
    every = (*job.problems, *of_part, *remarks)
    return Remarks(tuple(redacted_problem(problem, part.hide) for problem in every), missing)


def _failed(problem: Problem) -> Problem:
    """Return the problem of a PAR alone as that of a series that could not be converted."""
    return replace(problem, severity=Severity.ERROR)


def redacted_conversion(conversion: Conversion, hide: Redact) -> Conversion:
    """Return a conversion whose texts name no patient where `hide` conceals the identity."""
    return replace(
        conversion,
        log=hide(conversion.log),
        acquisition=None if conversion.acquisition is None else _redacted_facts(conversion.acquisition, hide),
        problems=tuple(redacted_problem(problem, hide) for problem in conversion.problems),
    )


def _redacted_facts(facts: Acquisition, hide: Redact) -> Acquisition:
    """Return facts whose texts name no patient: what an operator may write."""
    texts = (None if text is None else hide(text) for text in (facts.sequence_name, facts.coil, facts.software))
    sequence_name, coil, software = texts
    return replace(facts, sequence_name=sequence_name, coil=coil, software=software)
