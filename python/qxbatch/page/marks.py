"""Letters in a picture that say which side is which."""

from collections.abc import Sequence
from functools import cache

_LETTERS = {
    "A": ("01110", "10001", "10001", "11111", "10001", "10001", "10001"),
    "I": ("01110", "00100", "00100", "00100", "00100", "00100", "01110"),
    "L": ("10000", "10000", "10000", "10000", "10000", "10000", "11111"),
    "P": ("11110", "10001", "10001", "11110", "10000", "10000", "10000"),
    "R": ("11110", "10001", "10001", "11110", "10100", "10010", "10001"),
    "S": ("01111", "10000", "10000", "01110", "00001", "00001", "11110"),
}
_WIDE, _HIGH = 5, 7
_MARGIN = 3
"""Pixels between a letter and the edge."""
_ROOM = 3 * (_WIDE + 2 * _MARGIN)
"""A field that is less wide has no letters at its sides."""
_BRIGHT, _DARK = b"\xff", b"\0"

SIDES = {2: ("L", "R", "A", "P"), 1: ("L", "R", "S", "I"), 0: ("P", "A", "S", "I")}
"""Axis of the world that a plane is across, to the letters at the left, at the right, at the top and at the bottom.

Left is at the left, as neurologists look at a person.
"""


def mark(field: Sequence[bytearray], sides: tuple[str, str, str, str], depth: int) -> None:
    """Write letters at the sides of a field of pixels, in its brightest colour with a dark edge; a pixel has `depth` bytes."""
    high, wide = len(field), len(field[0]) // depth
    left, right, top, bottom = sides
    across, down = (wide - _WIDE) // 2, (high - _HIGH) // 2
    if wide >= _ROOM:
        _write(field, left, _MARGIN, down, depth)
        _write(field, right, wide - _MARGIN - _WIDE, down, depth)
    if wide >= _WIDE + 2:
        _write(field, top, across, _MARGIN, depth)
        _write(field, bottom, across, high - _MARGIN - _HIGH, depth)


def _write(field: Sequence[bytearray], letter: str, left: int, top: int, depth: int) -> None:
    for y, x, pixel in _pixels(letter):
        at = (left + x) * depth
        field[top + y][at : at + depth] = pixel * depth


@cache
def _pixels(letter: str) -> tuple[tuple[int, int, bytes], ...]:
    """Return line, column and grey of the pixels of a letter and its edge."""
    ink = {(y, x) for y, row in enumerate(_LETTERS[letter]) for x, cell in enumerate(row) if cell == "1"}
    edge = {(y + dy, x + dx) for y, x in ink for dy in (-1, 0, 1) for dx in (-1, 0, 1)}
    return tuple((y, x, _BRIGHT if (y, x) in ink else _DARK) for y, x in sorted(edge))
