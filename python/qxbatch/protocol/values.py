"""Expected values of a protocol: read from TOML, compared with the facts of a series, and written as TOML or text."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from qxbatch.protocol.fields import Field, Form

_NUMBER = r"[-+]?\d{1,15}(?:\.\d{0,15})?(?:[eE][-+]?\d{1,2})?"
_TOLERANCE = rf"(?:±|\+/?-)\s*((?![-+]){_NUMBER})\s*(%)?\s*"
_AMOUNT = re.compile(rf"\s*({_NUMBER})\s*(?:{_TOLERANCE})?", re.ASCII)
"""A number, which can have a tolerance: `30`, `30 ± 1`, `30 +- 2%`."""
_COUNT = re.compile(r"\s*(\d{1,9})\s*(?:(-|–|±|\+/?-)\s*(\d{1,9})\s*)?", re.ASCII)
"""A whole number, which can have a tolerance or be the start of a range: `300`, `300 ± 5`, `1-2`."""
_WHOLE = 1 << 53
"""Up to this, a float represents every whole number."""
_NOISE = 1e-5
"""Relative error that is always allowed, since `rounded_text` writes six digits."""
SHELL_LIMIT = 10**6
"""b-values of shells (s/mm2) are smaller."""
SHELL_WIDTH, SHELL_RATIO = 50.0, 0.05
"""Largest distance of a b-value from its shell, in s/mm2 and as a fraction of the shell; the larger distance applies."""


class WrongValueError(ValueError):
    """A value of a protocol or rule file cannot be read; its text describes the expected value."""

    def __init__(self, *, expected: str) -> None:
        super().__init__(expected)


@dataclass(frozen=True)
class CountRange:
    """How many series or volumes are expected: from `least` to `most`."""

    least: int
    most: int

    def __contains__(self, number: int) -> bool:
        return self.least <= number <= self.most

    @property
    def text(self) -> str:
        """Return the range as text: `1` or `1-2`."""
        return str(self.least) if self.least == self.most else f"{self.least}-{self.most}"

    @property
    def toml(self) -> str:
        """Return the value as TOML."""
        return self.text if self.least == self.most else f'"{self.text}"'


@dataclass(frozen=True)
class ExpectedNumbers:
    """The expected value of a parameter: one number or several, each with its tolerance."""

    values: tuple[float, ...]
    tolerances: tuple[float, ...]

    def agrees(self, actual: object) -> bool:
        """Return whether a series has as many numbers as expected, each within its tolerance."""
        numbers = actual if isinstance(actual, tuple) else (actual,)
        return len(numbers) == len(self.values) and all(
            isinstance(number, int | float) and abs(number - value) <= tolerance + _NOISE * abs(value)
            for number, value, tolerance in zip(numbers, self.values, self.tolerances, strict=True)
        )

    @property
    def text(self) -> str:
        """Return the numbers as text: `2000 ± 1`; several are separated by commas."""
        return ", ".join(self._texts())

    @property
    def toml(self) -> str:
        """Return the value as TOML."""
        texts = [f'"{text}"' if "±" in text else text for text in self._texts()]
        return f"[{', '.join(texts)}]" if len(texts) > 1 else texts[0]

    def _texts(self) -> list[str]:
        return [
            f"{rounded_text(value)} ± {rounded_text(tolerance)}" if tolerance else rounded_text(value)
            for value, tolerance in zip(self.values, self.tolerances, strict=True)
        ]


@dataclass(frozen=True)
class ExpectedWords:
    """The expected value of a parameter: the series must have one of these texts; case is ignored."""

    choices: tuple[str, ...]

    def agrees(self, actual: object) -> bool:
        """Return whether a text is one of the choices."""
        return actual is not None and str(actual).casefold() in (choice.casefold() for choice in self.choices)

    @property
    def text(self) -> str:
        """Return the texts, joined by `or`."""
        return " or ".join(self.choices)

    @property
    def toml(self) -> str:
        """Return the value as TOML."""
        texts = [toml_string(choice) for choice in self.choices]
        return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


@dataclass(frozen=True)
class ExpectedShells:
    """The expected shells of a diffusion series: b-values in s/mm2, each with its number of volumes."""

    shells: tuple[tuple[float, int], ...]

    def agrees(self, actual: object, *, compare_counts: bool = True) -> bool:
        """Return whether a series has only b-values of these shells, and each shell has its number of volumes.

        Without `compare_counts`, the numbers of volumes do not matter, but the series must have a volume.
        """
        counts = dict.fromkeys((b for b, _ in self.shells), 0)
        for b, count in actual if isinstance(actual, tuple) else ():
            nearest = min(counts, key=lambda shell: abs(shell - b))
            if not is_same_shell(nearest, b):
                return False
            counts[nearest] += count
        if compare_counts:
            return all(counts[b] == count for b, count in self.shells)
        return any(counts.values())

    @property
    def text(self) -> str:
        """Return the shells as text: `b0 x 7, b1000 x 64`."""
        return ", ".join(f"b{rounded_text(b)} x {count}" for b, count in self.shells)

    @property
    def toml(self) -> str:
        """Return the value as TOML."""
        return f"{{ {', '.join(f'{rounded_text(b)} = {count}' for b, count in self.shells)} }}"


Expectation = ExpectedNumbers | ExpectedWords | ExpectedShells


def is_same_shell(shell: float, b: float) -> bool:
    """Return whether a b-value belongs to a shell."""
    return abs(shell - b) <= max(SHELL_WIDTH, SHELL_RATIO * shell)


def rounded_text(number: float) -> str:
    """Return a number as text without rounding noise.

    >>> rounded_text(2.4600001), rounded_text(2000.0), rounded_text(0.00051), rounded_text(123456789.0)
    ('2.46', '2000', '0.00051', '123456789')
    """
    if abs(number) < _WHOLE and number == int(number):
        return str(int(number))
    return f"{number:.6g}"


def toml_string(text: str) -> str:
    """Return a text as a string of TOML."""
    characters = text.encode("utf-8", "replace").decode()
    return f'"{"".join(map(_escape, characters))}"'


def _escape(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08X}"


def read_count_range(value: object, least: int = 0) -> CountRange:
    """Return the range in a TOML value: 300, "1-2" or "300 ± 5". Raises WrongValueError.

    The lower limit of a range with ± is at least `least`. A range whose upper limit is below its lower limit, below 1 or below
    `least` is refused.
    """
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    match = _COUNT.fullmatch(text)
    if match is None:
        raise WrongValueError(expected='a whole number, or a range such as "1-2" or "300 ± 5"')
    first, sign, second = int(match[1]), match[2], int(match[3] or 0)
    count = CountRange(first, second) if sign in ("-", "–") else CountRange(max(least, first - second), first + second)
    if count.most < count.least or count.most < max(least, 1):
        raise WrongValueError(expected='a number from 1, or a range from a smaller to a larger number, such as "1-2"')
    return count


def read_expectation(field: Field, value: object) -> Expectation:
    """Return the expected value of a field from its TOML value. Raises WrongValueError."""
    if field.form is Form.SHELLS:
        return _shells(value)
    if field.form is Form.WORD:
        return _words(field, value)
    if isinstance(value, list) and field.form is not Form.NUMBERS:
        raise WrongValueError(expected='one number, such as 2000 or "2000 ± 1"')
    items = value if isinstance(value, list) else [value]
    if not items or (field.length and len(items) != field.length):
        raise WrongValueError(expected=f"a list of {field.length} numbers" if field.length else "at least one number")
    pairs = [_amount(field, item) for item in items]
    return ExpectedNumbers(tuple(number for number, _ in pairs), tuple(tolerance for _, tolerance in pairs))


def _amount(field: Field, value: object) -> tuple[float, float]:
    """Return a number and its tolerance."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max:
        return float(value), field.tolerance(value)
    match = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise WrongValueError(
            expected='a number, or a number with its tolerance such as "30 ± 1", "30 +- 1" or "30 ± 2%"'
        )
    number = float(match[1])
    if match[2] is None:
        return number, field.tolerance(number)
    tolerance = float(match[2])
    return number, abs(number) * tolerance / 100 if match[3] else tolerance


def _words(field: Field, value: object) -> ExpectedWords:
    items = value if isinstance(value, list) else [value]
    words = [item for item in items if isinstance(item, str) and item]
    if not words or len(words) < len(items):
        raise WrongValueError(expected="a text in quotes, or a list of texts that are allowed")
    if field.choices and not set(words) <= set(field.choices):
        raise WrongValueError(expected=f"one of {', '.join(field.choices)}")
    return ExpectedWords(tuple(words))


def _shells(value: object) -> ExpectedShells:
    pairs = value.items() if isinstance(value, Mapping) else ()
    shells = [(float(b), count) for b, count in pairs if _is_shell(b, count)]
    if not shells or len(shells) < len(pairs):
        raise WrongValueError(
            expected="a table of b-values with the number of their volumes, such as { 0 = 7, 1000 = 64 }"
        )
    return ExpectedShells(tuple(sorted(shells)))


def _is_shell(b: str, count: object) -> bool:
    is_count = isinstance(count, int) and not isinstance(count, bool) and count > 0
    return is_count and re.fullmatch(r"[0-9]+", b) is not None and len(b) < len(str(SHELL_LIMIT))


def actual_text(value: object) -> str | None:
    """Return the value of a series as text; None if it is not known."""
    if value is None:
        return None
    return ", ".join(map(_item_text, value)) if isinstance(value, tuple) else _item_text(value)


def _item_text(item: object) -> str:
    """Return a number, a text, or a b-value with its number of volumes."""
    match item:
        case (float() | int() as b, count):
            return f"b{rounded_text(b)} x {count}"
        case int() | float():
            return rounded_text(item)
    return str(item)
