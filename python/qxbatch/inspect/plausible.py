"""Facts without numbers that no scan can have."""

from dataclasses import fields, replace

from qxbatch.acquisition import Acquisition

_LIMIT = 1e15
"""No fact of a scan is as large."""


def plausible_facts(acquisition: Acquisition) -> Acquisition:
    """Return the facts without those that have a number which is not finite or is absurdly large.

    JSON has no such numbers, and a summary that contains one could not be read again.

    >>> known = plausible_facts(Acquisition(tr_ms=2000.0, planned_volumes=10**400, te_ms=(30.0, float("nan"))))
    >>> known == Acquisition(tr_ms=2000.0)
    True
    """
    names = [field.name for field in fields(acquisition) if not is_plausible(getattr(acquisition, field.name))]
    return replace(acquisition, **dict.fromkeys(names)) if names else acquisition


def is_plausible(value: object) -> bool:
    """Return whether all numbers in a fact or in a value of a sidecar are finite and not absurdly large."""
    if isinstance(value, tuple):
        return all(map(is_plausible, value))
    return not isinstance(value, int | float) or abs(value) < _LIMIT
