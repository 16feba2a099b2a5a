"""Conversions with identities redacted if the session id replaces the patient's."""

from dataclasses import replace

from qxbatch.acquisition import Acquisition
from qxbatch.deidentify import Redact, redacted_problem
from qxbatch.model import Conversion


def redacted_conversion(conversion: Conversion, redact: Redact) -> Conversion:
    """Return a conversion whose texts name no patient if `redact` redacts identities."""
    return replace(
        conversion,
        log=redact(conversion.log),
        acquisition=None if conversion.acquisition is None else _redacted_facts(conversion.acquisition, redact),
        problems=tuple(redacted_problem(problem, redact) for problem in conversion.problems),
    )


def _redacted_facts(facts: Acquisition, redact: Redact) -> Acquisition:
    """Return facts whose texts name no patient: operators may write names into them."""
    texts = (None if text is None else redact(text) for text in (facts.sequence_name, facts.coil, facts.software))
    sequence_name, coil, software = texts
    return replace(facts, sequence_name=sequence_name, coil=coil, software=software)
