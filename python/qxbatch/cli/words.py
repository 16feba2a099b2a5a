"""Normalizes the words of a command line for docopt.

docopt accepts unique prefixes of options, allows some options twice, and reports misuse with a repr. So this module reads
the words first. It accepts only whole names, joins options and values by `=`, collects several words of one option, and
reports misuse.
"""

from collections.abc import Sequence

from qxbatch.nearest import nearest_name
from qxbatch.problems import UsageError
from qxbatch.settings.parameter import Form, Parameter

YES_NO_WORDS = ("yes", "no", "true", "false")
LEVELS = ("participant", "group")
"""The third positional word of the BIDS-App form."""


class Words:
    """The options of one command line (long name to value; None for a switch), and its positional words."""

    def __init__(self) -> None:
        self.options: dict[str, str | None] = {}
        self.positional: list[str] = []

    def argv(self) -> list[str]:
        """Return the words for docopt. A positional word that begins with `-` gets `./`, so that it is not taken for an option."""
        options = [name if value is None else f"{name}={value}" for name, value in self.options.items()]
        return [*options, *(f"./{word}" if word.startswith("-") else word for word in self.positional)]


class Reader:
    """Reads command lines whose options are those of one table of parameters."""

    def __init__(self, parameters: Sequence[Parameter], command: str) -> None:
        self._by_name = {parameter.option: parameter for parameter in parameters}
        self._by_short = {parameter.short: parameter for parameter in parameters if parameter.short}
        self._command = command

    def read(self, argv: Sequence[str]) -> Words:
        """Return the options and the positional words, each in their order. Raises UsageError."""
        words = Words()
        remaining = list(argv)
        while remaining:
            word = remaining.pop(0)
            if word == "--":
                words.positional += remaining
                break
            if not word.startswith("-") or word == "-":
                words.positional.append(word)
            elif word.startswith("--"):
                name, equals, value = word.partition("=")
                self._add_option(words, name, value if equals else None, remaining)
            else:
                self._add_option(words, word[:2], word[2:].removeprefix("=") if word[2:] else None, remaining)
        return words

    def _add_option(self, words: Words, name: str, value: str | None, remaining: list[str]) -> None:
        parameter = self._parameter(name)
        if parameter.option in words.options:
            raise UsageError(f"{parameter.option} is given more than once.", "Give it once.")
        if parameter.form is Form.SWITCH:
            if value is not None:
                raise UsageError(f"{parameter.option} takes no value, but {value!r} is given.")
        elif parameter.form is Form.SEVERAL_VALUES:
            value = self._several_words(words, parameter, value, remaining)
        elif value is None:
            value = self._value(parameter, remaining)
        words.options[parameter.option] = value

    def _parameter(self, name: str) -> Parameter:
        full = "--" + name[2:].replace("_", "-") if name.startswith("--") else name
        parameter = self._by_name.get(full) or self._by_short.get(full)
        if parameter:
            return parameter
        from qxbatch.settings.of_qunex import ADVICE_BY_QUNEX_OPTION

        advice = ADVICE_BY_QUNEX_OPTION.get(full[2:].replace("-", "_")) if self._command == "qxbatch" else None
        if advice:
            raise UsageError(f"{name} is an option of QuNex that an import does not have.", advice)
        near = nearest_name(full.removeprefix("--"), (known.removeprefix("--") for known in self._by_name))
        hint = f"Did you mean --{near}?" if near else f"`{self._command} --help` lists the options."
        raise UsageError(f"There is no option {name}.", hint)

    def _value(self, parameter: Parameter, remaining: list[str]) -> str:
        """Return the value after an option; for a yes-or-no option `yes` if it is omitted. Raises UsageError if it is missing."""
        if parameter.form is Form.YES_NO:
            return remaining.pop(0) if remaining and remaining[0].casefold() in YES_NO_WORDS else "yes"
        if not remaining or self._is_option(remaining[0]):
            choices = f" It is one of: {', '.join(parameter.choices)}." if parameter.choices else ""
            raise UsageError(
                f"{parameter.option} needs a value.{choices}",
                f"Write {parameter.option}={parameter.metavar}.",
            )
        return remaining.pop(0)

    def _is_option(self, word: str) -> bool:
        name = word.partition("=")[0].replace("_", "-")
        return name in self._by_name or name in self._by_short or word in ("--", "--help", "--version", "-h")

    def _several_words(self, words: Words, parameter: Parameter, value: str | None, remaining: list[str]) -> str:
        """Return the words up to the next option or path, joined by commas. `DATA OUTPUT LEVEL` at the end stay positional.

        Raises UsageError if there is no word.
        """
        values = [] if value is None else [value]
        while remaining and not remaining[0].startswith("-") and "/" not in remaining[0]:
            values.append(remaining.pop(0))
        if values and values[-1] in LEVELS and not remaining:
            # the last values are the positional words of a BIDS-App that are still missing, three at most
            missing = 3 - len(words.positional)
            words.positional += values[-missing:] if missing > 0 else []
            values = values[:-missing] if missing > 0 else values
        if not values:
            raise UsageError(f"{parameter.option} needs a value.", f"Write {parameter.option} {parameter.metavar}.")
        return ",".join(values)
