"""The limits that the core's reasons name, and larger values to try."""

import re
from collections.abc import Iterable, Mapping
from typing import Protocol

_OF_PATTERN = {
    re.compile(r"\(limit on expansion|times its size \(limit\)"): "max_expansion",
    re.compile(r"\(limit on total size"): "max_total",
    re.compile(r"members(?:, more than \d+)? \(limit\)"): "max_members",
    re.compile(r" deep \(limit\)"): "max_nesting",
}
"""Maps phrases of the core to parameters."""
_DEEPEST = "20"
"""The largest value of --max-nesting."""
_LARGER = 10
"""Factor for proposed larger limits."""


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


def limits_of(reasons: Iterable[str]) -> tuple[str, ...]:
    """Return the parameters that the reasons name; other limits (names, memory) have none."""
    names = (parameter for reason in reasons for pattern, parameter in _OF_PATTERN.items() if pattern.search(reason))
    return tuple(dict.fromkeys(names))


def larger(limits: Iterable[str], current: Limits) -> Mapping[str, str]:
    """Return larger values of these parameters, in the form of the command line."""
    return {limit: _larger(limit, getattr(current, limit)) for limit in limits}


def total_for(size: int) -> str:
    """Return a value of --max-total for a packet of so many bytes, in the form of the command line."""
    return f"{_LARGER * max(1, size >> 20)}M"


def _larger(limit: str, value: int) -> str:
    if limit == "max_nesting":
        return _DEEPEST
    return total_for(value) if limit == "max_total" else f"{_LARGER * value}"
