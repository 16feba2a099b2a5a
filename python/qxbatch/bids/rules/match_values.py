"""Readers of the values in `match`, and functions that return a reader. A reader returns a ValueTest, or raises WrongValueError."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from qxbatch.bids.images.numbers import is_plausible_number
from qxbatch.bids.model import Captures
from qxbatch.bids.rules.number_ranges import NumberRange, read_number_range
from qxbatch.bids.rules.patterns import glob_pattern, regex_pattern
from qxbatch.protocol.values import WrongValueError, is_same_shell

ValueTest = Callable[[Any], Captures | None]
"""The test of a rule for the value of an image: returns the captures if it accepts the value, else None.

It is not called for unknown values.
"""
_NO_CAPTURES: Captures = {}


def globs(value: Any) -> ValueTest:
    """Read a glob or a list of globs: one of them has to match."""
    return _patterns([glob_pattern(text) for text in _texts(value)], whole_text=True)


def regexes(value: Any) -> ValueTest:
    """Read a regular expression or a list of them: one has to match."""
    return _patterns([regex_pattern(text) for text in _texts(value)], whole_text=False)


def one_of(*choices: str) -> Callable[[Any], ValueTest]:
    """Return the reader of a word or a list of words, all of them among `choices`: the image must have one of them."""

    def read(value: Any) -> ValueTest:
        words = _texts(value)
        if not set(words) <= set(choices):
            raise WrongValueError(expected=f"one of {', '.join(choices)}, or a list of them")
        return lambda actual: _NO_CAPTURES if str(actual) in words else None

    return read


def all_words(value: Any) -> ValueTest:
    """Read a word or a list of words that the image must have, or must not have (`!word`); case is ignored."""
    words = [text.casefold() for text in _texts(value)]

    def accept(actual: Any) -> Captures | None:
        present = {str(item).casefold() for item in actual}
        has_all = all((word[1:] not in present) if word.startswith("!") else word in present for word in words)
        return _NO_CAPTURES if has_all else None

    return accept


def number_range(tolerance: Callable[[float], float] = lambda _number: 0.0) -> Callable[[Any], ValueTest]:
    """Return the reader of a number, a range or a limit, or a list of these: one of them has to match.

    `tolerance` returns the tolerance of a number that is given without one.
    """

    def read(value: Any) -> ValueTest:
        items = value if isinstance(value, list) and value else [value]
        ranges = [read_number_range(item, tolerance) for item in items]
        return lambda actual: _NO_CAPTURES if any(expected(actual) for expected in ranges) else None

    return read


def number_list(length: int, tolerance: Callable[[float], float]) -> Callable[[Any], ValueTest]:
    """Return the reader of a list of `length` numbers, ranges or limits: the image must have as many values, in the same order."""

    def read(value: Any) -> ValueTest:
        if not isinstance(value, list) or len(value) != length:
            raise WrongValueError(expected=f"a list of {length} numbers")
        expected = [read_number_range(item, tolerance) for item in value]
        return lambda actual: _NO_CAPTURES if _all_accept(expected, actual) else None

    return read


def shells(value: Any) -> ValueTest:
    """Read a b-value or a list of b-values: the series must have all of them, within the width of a shell, and no others."""
    expected = value if isinstance(value, list) else [value]
    if not expected or not all(map(is_plausible_number, expected)):
        raise WrongValueError(expected="a list of b-values, such as [0, 1000]")

    def accept(actual: Any) -> Captures | None:
        nearest_shells = [min(expected, key=lambda shell, b=b: abs(shell - b)) for b, _count in actual]  # type: ignore[misc]
        all_near = all(is_same_shell(shell, b) for shell, (b, _count) in zip(nearest_shells, actual, strict=True))
        return _NO_CAPTURES if all_near and set(nearest_shells) == set(expected) else None

    return accept


def sidecar_field(name: str) -> Callable[[Any], ValueTest]:
    """Return the reader of a value of a sidecar field: a number, a range, a glob, true or false, or a list; one item has to match.

    A number without a tolerance has one of 0.5 ms for a field of IN_MS, and of 0.1 % for other fields.
    """
    tolerance: Callable[[float], float] = (
        (lambda _number: 0.5) if name in IN_MS else (lambda number: abs(number) * 0.001)
    )

    def read(value: Any) -> ValueTest:
        items = value if isinstance(value, list) else [value]
        tests = [_field_test(item, tolerance) for item in items]
        if not tests:
            raise WrongValueError(expected="at least one value")
        return lambda actual: next((captures for test in tests if (captures := test(actual)) is not None), None)

    return read


IN_MS = ("EchoTime", "EchoTime1", "EchoTime2", "RepetitionTime", "InversionTime")
"""Fields that are in ms in `match`, as on the console, and in seconds in sidecars."""


def _field_test(item: Any, tolerance: Callable[[float], float]) -> ValueTest:
    """Return the test for one value of `sidecar_field`. Raises WrongValueError."""
    if isinstance(item, bool):
        return lambda actual: _NO_CAPTURES if actual is item else None
    if isinstance(item, int | float):
        return _number_test(read_number_range(item, tolerance))
    if not isinstance(item, str):
        raise WrongValueError(expected="a number, a text, true or false, or a list of these")
    pattern = glob_pattern(item)
    try:
        as_number: ValueTest | None = _number_test(read_number_range(item, tolerance))
    except WrongValueError:
        as_number = None

    def accept(actual: Any) -> Captures | None:
        if as_number and isinstance(actual, int | float) and not isinstance(actual, bool):
            return as_number(actual)
        texts = actual if isinstance(actual, list) else [actual]
        matches = (pattern.fullmatch(str(text)) for text in texts)
        return next((match.groupdict() for match in matches if match), None)

    return accept


def _number_test(expected: NumberRange) -> ValueTest:
    def accept(actual: Any) -> Captures | None:
        return _NO_CAPTURES if is_plausible_number(actual) and expected(actual) else None

    return accept


def _all_accept(expected: list[NumberRange], actual: Any) -> bool:
    return len(actual) == len(expected) and all(test(number) for test, number in zip(expected, actual, strict=True))


def _patterns(patterns: list[re.Pattern[str]], *, whole_text: bool) -> ValueTest:
    def accept(actual: Any) -> Captures | None:
        for pattern in patterns:
            match = pattern.fullmatch(str(actual)) if whole_text else pattern.search(str(actual))
            if match:
                return {name: capture for name, capture in match.groupdict().items() if capture is not None}
        return None

    return accept


def captured_names(value: Any, *, is_regex: bool) -> frozenset[str]:
    """Return the names that every item of a value captures: only these have a text whichever item matches.

    Numbers, and true or false, capture nothing.
    """
    read = regex_pattern if is_regex else glob_pattern
    items = value if isinstance(value, list) else [value]
    names = [frozenset(read(item).groupindex if isinstance(item, str) else ()) for item in items]
    return frozenset.intersection(*names)


def _texts(value: Any) -> list[str]:
    """Return a text, or a list of texts, as a list of at least one text. Raises WrongValueError."""
    items = value if isinstance(value, list) else [value]
    texts = [item for item in items if isinstance(item, str) and item]
    if not texts or len(texts) < len(items):
        raise WrongValueError(expected="a text in quotes, or a list of texts")
    return texts


def as_mapping(value: Any) -> Mapping[str, Any]:
    """Return the value, which must be a table that is not empty. Raises WrongValueError."""
    if not isinstance(value, Mapping) or not value:
        raise WrongValueError(expected='a table of keys, such as { name = "rest*" }')
    return value
