"""Coordinates of the charts of a page: the global signal over time, and directions of diffusion on a sphere."""

import math
from collections.abc import Sequence
from typing import NamedTuple

WIDTH = 360
HEIGHT = 72
"""Size of the curve, in units of its viewBox."""
RADIUS = 90.0
"""Radius of the sphere, in units of its viewBox."""
_VIEW = (math.radians(-35), math.radians(20))
"""The view of the sphere: rotation about the vertical axis, and tilt."""


class Curve(NamedTuple):
    """A line through values over volumes."""

    points: str
    """The points of an SVG polyline."""
    lowest: float
    highest: float
    volumes: int


class Dot(NamedTuple):
    """A direction on the sphere."""

    x: float
    y: float
    is_front: bool
    """On the side that faces the viewer."""
    shell_index: int
    """Index of its b-value in the b-values of the series."""


def curve(values: Sequence[float]) -> Curve | None:
    """Return the line through the values; None if there are fewer than two, or if one is not finite."""
    if len(values) < 2 or not all(map(math.isfinite, values)):  # noqa: PLR2004 - a line has two ends
        return None
    lowest, highest = min(values), max(values)
    scale = HEIGHT / (highest - lowest) if highest > lowest else 0.0
    step = WIDTH / (len(values) - 1)
    points = (f"{k * step:.1f},{HEIGHT - (value - lowest) * scale:.1f}" for k, value in enumerate(values))
    return Curve(" ".join(points), lowest, highest, len(values))


def sphere(directions: Sequence[tuple[float, float, float]], shell_indexes: Sequence[int]) -> list[Dot]:
    """Return each direction and its opposite as dots in orthographic projection, those behind first.

    `directions` are unit vectors; `shell_indexes` has the index of the b-value of each.
    """
    dots = [
        _dot(sign * x, sign * y, sign * z, shell_index)
        for (x, y, z), shell_index in zip(directions, shell_indexes, strict=True)
        for sign in (1.0, -1.0)
    ]
    return sorted(dots, key=lambda dot: dot.is_front)


def _dot(x: float, y: float, z: float, shell_index: int) -> Dot:
    turn, tilt = _VIEW
    across = x * math.cos(turn) - y * math.sin(turn)
    depth = x * math.sin(turn) + y * math.cos(turn)
    up = z * math.cos(tilt) - depth * math.sin(tilt)
    nearness = -(z * math.sin(tilt) + depth * math.cos(tilt))
    return Dot(round(RADIUS * across, 1), round(-RADIUS * up, 1), nearness >= 0, shell_index)
