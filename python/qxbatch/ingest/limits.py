"""The limits that the core's reasons name, and larger values to try."""

import re
from collections.abc import Iterable, Mapping
from typing import Protocol

_PARAMETER_OF_PATTERN = {
    re.compile(r"\(limit on expansion"): "max_expansion",
    re.compile(r"\(limit on total size"): "max_total",
    re.compile(r"members(?:, more than \d+)? \(limit\)"): "max_members",
    re.compile(r" deep \(limit\)"): "max_nesting",
}
"""The parameters by the phrases with which the core names their limits."""
_MAX_NESTING = "20"
"""The largest value of --max-nesting."""
_FACTOR = 10
"""Factor between a limit and the larger one that is proposed."""


class Limits(Protocol):
    """The limits of an import or of a command."""

    @property
    def max_expansion(self) -> int:
        """Return the largest ratio of unpacked to packed bytes."""

    @property
    def max_total(self) -> int:
        """Return the largest number of unpacked bytes."""

    @property
    def max_members(self) -> int:
        """Return the largest number of members."""

    @property
    def max_nesting(self) -> int:
        """Return the largest depth of archives in archives."""


def exceeded_parameters(reasons: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the parameters whose limits the reasons name, such as `max_total`.

    Other limits (length of names, memory) have no parameter.
    """
    names = (
        parameter
        for reason in reasons
        for pattern, parameter in _PARAMETER_OF_PATTERN.items()
        if pattern.search(reason)
    )
    return tuple(dict.fromkeys(names))


def larger_limits(parameters: Iterable[str], current: Limits) -> Mapping[str, str]:
    """Return larger values of these parameters by name, in the form of the command line.

    A parameter that already has its largest value is omitted.
    """
    return {
        parameter: _larger_value(parameter, getattr(current, parameter))
        for parameter in parameters
        if parameter != "max_nesting" or current.max_nesting < int(_MAX_NESTING)
    }


def max_total_for(size: int) -> str:
    """Return a value of --max-total that is large enough for a packet of `size` bytes, in the form of the command line."""
    return f"{_FACTOR * max(1, size >> 20)}M"


def _larger_value(parameter: str, value: int) -> str:
    if parameter == "max_nesting":
        return _MAX_NESTING
    return max_total_for(value) if parameter == "max_total" else f"{_FACTOR * value}"
