"""Strip plots: the values of a series over the sessions of a study, one point for each image or series."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

WIDTH = 600
"""From the lowest to the highest value, in units of the viewBox."""
HEIGHT = 26
_ROWS = 5
"""Points are spread over so many lines, so that equal values do not hide each other."""


class Point(NamedTuple):
    """A value of a session."""

    x: float
    y: float
    value: str
    session: str
    anchor: str


class Strip(NamedTuple):
    """The values of one series name."""

    name: str
    lowest: str
    highest: str
    points: list[Point]


def strips_of(values: Iterable[tuple[str, float, str]], anchors: Mapping[str, str]) -> list[Strip]:
    """Return a strip for each name of (name, value, session) that several sessions have, in order of names.

    Each has its own scale.
    """
    by_name: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for name, value, session in values:
        by_name[name].append((value, session))
    several = {name: found for name, found in by_name.items() if len({session for _, session in found}) > 1}
    return [_strip(name, found, anchors) for name, found in sorted(several.items())]


def _strip(name: str, found: list[tuple[float, str]], anchors: Mapping[str, str]) -> Strip:
    lowest, highest = min(value for value, _ in found), max(value for value, _ in found)
    scale = WIDTH / (highest - lowest) if highest > lowest else 0.0
    points = [
        Point(
            round((value - lowest) * scale if scale else WIDTH / 2, 1),
            round(HEIGHT * (k % _ROWS + 1) / (_ROWS + 1), 1),
            f"{value:.4g}",
            session,
            anchors[session],
        )
        for k, (value, session) in enumerate(found)
    ]
    return Strip(name, f"{lowest:.4g}", f"{highest:.4g}", points)
