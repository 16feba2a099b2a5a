"""Converts the text of a parameter to its type; a wrong value is a UsageError that says what is valid."""

import re
from enum import StrEnum
from typing import TypeVar

from qxbatch.problems import UsageError
from qxbatch.settings.parameter import find
from qxbatch.settings.parameters import PARAMETERS

YES = ("yes", "true")
NO = ("no", "false")
_MEGABYTE = 1 << 20
_UNITS = {"": _MEGABYTE, "k": 1 << 10, "m": _MEGABYTE, "g": 1 << 30, "t": 1 << 40}
_TOO_LARGE = 2.0**63
"""Sizes from this on are refused; the core takes a size as a 64-bit number."""

Choice = TypeVar("Choice", bound=StrEnum)


class Values:
    """The raw parameters of the user, with the defaults of the table. A method raises UsageError if a value is wrong."""

    def __init__(self, raw: dict[str, str]) -> None:
        self._raw = raw

    def is_given(self, name: str) -> bool:
        """Return whether the user gave a value; an empty text counts as none."""
        return bool(self._raw.get(name))

    def text(self, name: str) -> str:
        """Return the user's value, else the default. An empty value of a parameter with choices is wrong."""
        parameter = find(PARAMETERS, name)
        value = self._raw.get(name)
        if value == "" and parameter.choices:
            raise not_a_choice(name, value, parameter.choices)
        return value or parameter.default

    def choice(self, name: str, kind: type[Choice]) -> Choice:
        """Return one of the choices of a parameter as a member of an enum, ignoring case."""
        value = self.text(name)
        choices = find(PARAMETERS, name).choices
        if value.casefold() not in choices:
            raise not_a_choice(name, value, choices)
        return kind(value.casefold())

    def is_yes(self, name: str) -> bool:
        """Return True for yes or true, False for no or false."""
        value = self.text(name)
        if value.casefold() in (*YES, *NO):
            return value.casefold() in YES
        raise not_a_choice(name, value, ("yes", "no"))

    def switch(self, name: str) -> bool:
        """Return whether a switch is on; it is off unless given, and a config file may also turn it off."""
        return self.is_given(name) and self.is_yes(name)

    def integer(self, name: str, least: int, most: int | None = None) -> int:
        """Return a whole number within bounds."""
        value = self.text(name)
        number = int(value) if re.fullmatch(r"\s*\+?\d{1,18}\s*", value, re.ASCII) else None
        if number is None or number < least or (most is not None and number > most):
            bounds = f"a whole number from {least}" + (f" to {most}" if most is not None else " up")
            raise UsageError(f"{_option(name)}={value} is not {bounds}.", f"Give {bounds}.")
        return number

    def integer_or_all(self, name: str) -> int | None:
        """Return a whole number from 1 up; None for `all`."""
        value = self.text(name)
        if value.casefold() == "all":
            return None
        if not re.fullmatch(r"\s*\+?0*[1-9]\d{0,8}\s*", value, re.ASCII):
            raise UsageError(
                f"{_option(name)}={value} is neither a whole number from 1 up nor all.",
                "Give a number, or all for every CPU this process may use.",
            )
        return int(value)

    def seconds(self, name: str) -> float:
        """Return a number of seconds, zero or more."""
        value = self.text(name)
        if not re.fullmatch(r"\s*\+?\d+(\.\d*)?\s*", value, re.ASCII):
            raise UsageError(f"{_option(name)}={value} is not a number of seconds.", "Give a number, like 90.")
        return float(value)

    def size(self, name: str) -> int:
        """Return bytes from `8G`, `500M` or plain megabytes."""
        return size_of(_option(name), self.text(name))

    def regex(self, name: str) -> re.Pattern[str]:
        """Return a compiled regular expression."""
        return compiled_regex(_option(name), self.text(name))


def size_of(where: str, value: str) -> int:
    """Return bytes from `8G`, `500M` or plain megabytes. Raises UsageError, which names the option as `where`."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?\s*", value, re.ASCII | re.IGNORECASE)
    size = float(match[1]) * _UNITS[match[2].casefold()] if match else 0.0
    if size < 1:
        raise UsageError(f"{where}={value} is not a size.", "Give a number with K, M, G or T, like 8G.")
    if size >= _TOO_LARGE:
        raise UsageError(f"{where}={value} is too large.", "Give a size below 8388608T.")
    return int(size)


def compiled_regex(where: str, text: str) -> re.Pattern[str]:
    """Compile a regular expression. Raises UsageError, which names the option as `where`, with the position of an error."""
    try:
        return re.compile(text)
    except (OverflowError, RecursionError) as error:
        raise UsageError(f"{where} is not a regular expression: {error}.", "Make it simpler.") from None
    except re.error as error:
        place = "" if error.pos is None else f" at position {error.pos + 1}"
        column = 0 if error.pos is None or error.lineno != 1 else error.pos
        raise UsageError(
            f"{where} is not a regular expression: {error.msg}{place}.\n         {text}\n         {' ' * column}^",
            "Quote it on the command line, so that the shell leaves it as it is.",
        ) from None


def not_a_choice(name: str, value: str, choices: tuple[str, ...]) -> UsageError:
    """Return the error for a value that is none of the choices."""
    return UsageError(f"{_option(name)}={value} is not known.", f"Give one of: {', '.join(choices)}.")


def _option(name: str) -> str:
    return find(PARAMETERS, name).option
