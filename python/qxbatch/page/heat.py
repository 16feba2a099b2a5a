"""The colours of a map: black, violet, red, orange, pale yellow, in equal steps of perceived brightness."""

from functools import cache

_STEPS = (0x000004, 0x1B0C41, 0x4A0C6B, 0x781C6D, 0xA52C60, 0xCF4446, 0xED6925, 0xFB9B06, 0xF7D13D, 0xFCFFA4)
"""Evenly spaced colours of the colour map `inferno` (Nathaniel Smith and Stefan van der Walt, CC0)."""
_COLOURS = 256


@cache
def palette() -> bytes:
    """Return 256 colours, the darkest first, each as three bytes: red, green and blue."""
    return b"".join(bytes(_colour(index)) for index in range(_COLOURS))


def _colour(index: int) -> list[int]:
    below, remainder = divmod(index * (len(_STEPS) - 1), _COLOURS - 1)
    pair = zip(_channels(_STEPS[below]), _channels(_STEPS[min(below + 1, len(_STEPS) - 1)]), strict=True)
    return [low + (high - low) * remainder // (_COLOURS - 1) for low, high in pair]


def _channels(colour: int) -> tuple[int, int, int]:
    return colour >> 16, colour >> 8 & 255, colour & 255
