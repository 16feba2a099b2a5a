"""Letters in a picture that name its sides."""

from functools import cache

_LETTERS = {
    "A": ("01110", "10001", "10001", "11111", "10001", "10001", "10001"),
    "I": ("01110", "00100", "00100", "00100", "00100", "00100", "01110"),
    "L": ("10000", "10000", "10000", "10000", "10000", "10000", "11111"),
    "P": ("11110", "10001", "10001", "11110", "10000", "10000", "10000"),
    "R": ("11110", "10001", "10001", "11110", "10100", "10010", "10001"),
    "S": ("01111", "10000", "10000", "01110", "00001", "00001", "11110"),
}
_LETTER_WIDTH, _LETTER_HEIGHT = 5, 7
_MARGIN = 3
"""Pixels between a letter and the side of the field."""
_MIN_WIDTH = 3 * (_LETTER_WIDTH + 2 * _MARGIN)
"""Width in pixels; a narrower slice has no letters at its left and right sides."""
_WHITE, _BLACK = b"\xff", b"\0"

Sides = tuple[str, str, str, str]
"""The letters at the left, at the right, at the top and at the bottom."""
PixelRun = tuple[int, int, bytes]
"""Column, line and bytes of adjacent pixels of one line."""

SIDES: dict[int, Sides] = {2: ("L", "R", "A", "P"), 1: ("L", "R", "S", "I"), 0: ("P", "A", "S", "I")}
"""Maps an axis (0 left-right, 1 posterior-anterior, 2 inferior-superior) to the letters of the plane perpendicular to it.

The left side of the person is at the left (neurological convention).
"""


@cache
def letter_pixels(sides: Sides, width: int, height: int, depth: int) -> tuple[PixelRun, ...]:
    """Return the pixels of the letters that name the sides of a slice, which is in a field of `width` x `height` pixels.

    The letters are white, with a black outline. A pixel has `depth` bytes. If the slice is too
    narrow for the letters of some sides, these are left out.
    """
    left, right, top, bottom = sides
    across, down = (width - _LETTER_WIDTH) // 2, (height - _LETTER_HEIGHT) // 2
    letters = []
    if width >= _MIN_WIDTH:
        letters += [(left, _MARGIN, down), (right, width - _MARGIN - _LETTER_WIDTH, down)]
    if width >= _LETTER_WIDTH + 2:
        letters += [(top, across, _MARGIN), (bottom, across, height - _MARGIN - _LETTER_HEIGHT)]
    return tuple((x + at_x, y + at_y, run) for letter, at_x, at_y in letters for x, y, run in _runs(letter, depth))


@cache
def _runs(letter: str, depth: int) -> tuple[PixelRun, ...]:
    """Return the pixels of a letter and of its outline."""
    ink = {(y, x) for y, row in enumerate(_LETTERS[letter]) for x, cell in enumerate(row) if cell == "1"}
    outlined = {(y + dy, x + dx) for y, x in ink for dy in (-1, 0, 1) for dx in (-1, 0, 1)}
    runs: list[PixelRun] = []
    for y, x in sorted(outlined):
        pixel = (_WHITE if (y, x) in ink else _BLACK) * depth
        last_x, last_y, pixels = runs[-1] if runs else (0, 0, b"")
        if pixels and last_y == y and last_x + len(pixels) // depth == x:
            runs[-1] = (last_x, y, pixels + pixel)
        else:
            runs.append((x, y, pixel))
    return tuple(runs)
