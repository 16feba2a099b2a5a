"""Strip plots: the values of a series over the sessions of a study, one point for each image or series."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

WIDTH = 600
"""Distance between the points of the lowest and the highest value, in units of the viewBox of the SVG."""
HEIGHT = 26
"""Height of a strip, in units of the viewBox."""
_ROWS = 5
"""Successive points are drawn on this many lines in turn, so that fewer points hide each other."""


class Point(NamedTuple):
    """A value of a session. `x` and `y` are in units of the viewBox; y grows downwards."""

    x: float
    y: float
    value: str
    session: str
    anchor: str
    """Anchor of the session's row on the page."""


class Strip(NamedTuple):
    """The values of one series name."""

    name: str
    lowest: str
    highest: str
    points: list[Point]


def strips_of(values: Iterable[tuple[str, float, str]], anchors: Mapping[str, str]) -> list[Strip]:
    """Return a strip for each series name that several sessions have, in order of names.

    Each of `values` is a series name, a value and a session id. `anchors` maps session ids to anchors of the page. Each strip
    has its own scale.
    """
    by_name: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for name, value, session in values:
        by_name[name].append((value, session))
    several = {name: points for name, points in by_name.items() if len({session for _, session in points}) > 1}
    return [_strip(name, points, anchors) for name, points in sorted(several.items())]


def _strip(name: str, values: list[tuple[float, str]], anchors: Mapping[str, str]) -> Strip:
    lowest, highest = min(value for value, _ in values), max(value for value, _ in values)
    scale = WIDTH / (highest - lowest) if highest > lowest else 0.0
    points = [
        Point(
            round((value - lowest) * scale if scale else WIDTH / 2, 1),
            round(HEIGHT * (k % _ROWS + 1) / (_ROWS + 1), 1),
            f"{value:.4g}",
            session,
            anchors[session],
        )
        for k, (value, session) in enumerate(values)
    ]
    return Strip(name, f"{lowest:.4g}", f"{highest:.4g}", points)
