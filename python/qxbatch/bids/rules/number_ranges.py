"""Numbers in `match`: a number with a tolerance, a range, or a limit."""

import re
from collections.abc import Callable
from typing import NamedTuple

from qxbatch.bids.images.numbers import is_plausible_number
from qxbatch.protocol.values import WrongValueError

EXPECTED = 'a number, "30 ± 1", "100-200", ">=100" or "<100"'
_NUMBER = r"[-+]?\d{1,15}(?:\.\d{0,15})?(?:[eE][-+]?\d{1,2})?"
_LIMIT = re.compile(rf"\s*(>=|<=|>|<|≥|≤)\s*({_NUMBER})\s*", re.ASCII)
_RANGE = re.compile(r"\s*(\d{1,15}(?:\.\d{0,15})?)\s*[-–]\s*(\d{1,15}(?:\.\d{0,15})?)\s*", re.ASCII)
_WITH_TOLERANCE = re.compile(rf"\s*({_NUMBER})\s*(?:(?:±|\+/?-)\s*({_NUMBER})\s*(%)?\s*)?", re.ASCII)
_NOISE = 1e-6
"""Relative tolerance of all comparisons, since numbers may have been rounded when they were written."""


class NumberRange(NamedTuple):
    """Numbers from `least` to `most`."""

    least: float
    most: float
    excludes_limits: bool = False
    """Whether `least` and `most` themselves are outside of the range."""

    def __call__(self, number: float) -> bool:
        """Return whether a number is in the range."""
        noise = _NOISE * max(abs(number), 1e-9)  # not 0, so that 0 has a tolerance too
        if self.excludes_limits:
            return self.least + noise < number < self.most - noise
        return self.least - noise <= number <= self.most + noise


def read_number_range(value: object, tolerance: Callable[[float], float] = lambda _number: 0.0) -> NumberRange:
    """Return the range of numbers that a value of the rule file describes. Raises WrongValueError.

    `tolerance` returns the tolerance of a number that is given without one.

    >>> read_number_range(">=100")(100), read_number_range(">100")(100), read_number_range("30±1")(31)
    (True, False, True)
    """
    if is_plausible_number(value):
        number = float(value)
        return NumberRange(number - tolerance(number), number + tolerance(number))
    expression = value if isinstance(value, str) else ""
    if match := _LIMIT.fullmatch(expression):
        return _limit(match[1], float(match[2]))
    if match := _RANGE.fullmatch(expression):
        if float(match[1]) > float(match[2]):
            raise WrongValueError(expected='a range from a smaller to a larger number, such as "100-200"')
        return NumberRange(float(match[1]), float(match[2]))
    match = _WITH_TOLERANCE.fullmatch(expression)
    if match is None or (match[2] or "0").startswith("-"):
        raise WrongValueError(expected=EXPECTED)
    number = float(match[1])
    margin = float(match[2]) if match[2] else tolerance(number)
    margin = abs(number) * margin / 100 if match[3] else margin
    return NumberRange(number - margin, number + margin)


def _limit(sign: str, number: float) -> NumberRange:
    infinite = float("inf")
    if sign.startswith((">", "≥")):
        return NumberRange(number, infinite, sign == ">")
    return NumberRange(-infinite, number, sign == "<")
