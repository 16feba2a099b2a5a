"""Numbers of rule files and sidecars."""

from typing import TypeGuard

_LARGEST = 10**15
"""No value of a scan is larger."""


def is_plausible_number(value: object) -> TypeGuard[int | float]:
    """Return whether a value of a rule file or sidecar is a number that a scan can have."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST
