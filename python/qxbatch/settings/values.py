"""Text of one parameter into its type; what does not fit is a UsageError that names the choices."""

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

Choice = TypeVar("Choice", bound=StrEnum)


class Values:
    """The raw parameters that were given, and the table's defaults behind them."""

    def __init__(self, given: dict[str, str]) -> None:
        self._given = given

    def given(self, name: str) -> bool:
        """Whether the user gave it; an empty text is as good as none."""
        return bool(self._given.get(name))

    def text(self, name: str) -> str:
        """What was given, else the default."""
        parameter = find(PARAMETERS, name)
        value = self._given.get(name)
        if value == "" and parameter.choices:
            raise wrong(name, value, parameter.choices)
        return value or parameter.default

    def choice(self, name: str, kind: type[Choice]) -> Choice:
        """A member of an enum, whatever its case."""
        value = self.text(name)
        try:
            return kind(value.casefold())
        except ValueError:
            raise wrong(name, value, find(PARAMETERS, name).choices) from None

    def yes(self, name: str) -> bool:
        """yes or no; true and false are the same."""
        value = self.text(name)
        if value.casefold() in (*YES, *NO):
            return value.casefold() in YES
        raise wrong(name, value, ("yes", "no"))

    def switch(self, name: str) -> bool:
        """Whether a parameter that is off unless given is on; a config file may turn it off again."""
        return self.given(name) and self.yes(name)

    def whole(self, name: str, least: int, most: int | None = None) -> int:
        """A whole number within bounds."""
        value = self.text(name)
        number = int(value) if re.fullmatch(r"\s*\+?\d{1,18}\s*", value, re.ASCII) else None
        if number is None or number < least or (most is not None and number > most):
            bounds = f"a whole number from {least}" + (f" to {most}" if most is not None else " up")
            raise UsageError(f"{_option(name)}={value} is not {bounds}.", f"Give {bounds}.")
        return number

    def whole_or_all(self, name: str) -> int | None:
        """A whole number from 1 up; None for `all`."""
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
        """A number of seconds, zero or more."""
        value = self.text(name)
        if not re.fullmatch(r"\s*\+?\d+(\.\d*)?\s*", value, re.ASCII):
            raise UsageError(f"{_option(name)}={value} is not a number of seconds.", "Give a number, like 90.")
        return float(value)

    def size(self, name: str) -> int:
        """Bytes from `8G`, `500M` or plain megabytes."""
        return size_of(_option(name), self.text(name))

    def regex(self, name: str) -> re.Pattern[str]:
        """A compiled regular expression."""
        return compiled(_option(name), self.text(name))


def size_of(where: str, value: str) -> int:
    """Bytes from `8G`, `500M` or plain megabytes. Raises UsageError."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?\s*", value, re.ASCII | re.IGNORECASE)
    size = int(float(match[1]) * _UNITS[match[2].casefold()]) if match else 0
    if size < 1:
        raise UsageError(f"{where}={value} is not a size.", "Give a number with K, M, G or T, like 8G.")
    return size


def compiled(where: str, text: str) -> re.Pattern[str]:
    """Compile a regular expression; one that does not compile is shown with the position."""
    try:
        return re.compile(text)
    except (OverflowError, RecursionError) as error:
        raise UsageError(f"{where} is no regular expression: {error}.", "Make it simpler.") from None
    except re.error as error:
        place = "" if error.pos is None else f" at position {error.pos + 1}"
        column = 0 if error.pos is None or error.lineno != 1 else error.pos
        raise UsageError(
            f"{where} is no regular expression: {error.msg}{place}.\n         {text}\n         {' ' * column}^",
            "Quote it on the command line, so that the shell leaves it as it is.",
        ) from None


def wrong(name: str, value: str, choices: tuple[str, ...]) -> UsageError:
    """A value that is none of the choices."""
    return UsageError(f"{_option(name)}={value} is not known.", f"Give one of: {', '.join(choices)}.")


def _option(name: str) -> str:
    return find(PARAMETERS, name).option
