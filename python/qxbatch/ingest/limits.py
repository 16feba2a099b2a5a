"""The limits that the core's reasons name, and larger values to try."""

from collections.abc import Iterable, Mapping

from qxbatch.settings.model import Settings

_OF_WORDS = {
    "(limit on expansion": "max_expansion",
    "(limit on total size": "max_total",
    "members (limit)": "max_members",
    " deep (limit)": "max_nesting",
}
"""Maps phrases of the core to parameters."""
_DEEPEST = "20"
"""The largest value of --max-nesting."""
_LARGER = 10
"""Factor for proposed larger limits."""


def limits_of(reasons: Iterable[str]) -> tuple[str, ...]:
    """Return the parameters that the reasons name; other limits (names, memory) have none."""
    names = (parameter for reason in reasons for words, parameter in _OF_WORDS.items() if words in reason)
    return tuple(dict.fromkeys(names))


def larger(limits: Iterable[str], settings: Settings) -> Mapping[str, str]:
    """Return larger values of these parameters, in the form of the command line."""
    return {limit: _larger(limit, getattr(settings, limit)) for limit in limits}


def _larger(limit: str, value: int) -> str:
    if limit == "max_nesting":
        return _DEEPEST
    return f"{_LARGER * max(1, value >> 20)}M" if limit == "max_total" else f"{_LARGER * value}"
