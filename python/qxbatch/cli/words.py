"""Normalizes the words of a command line for docopt.

docopt accepts unique prefixes of options, allows some options twice, and reports misuse with a repr. So this module reads
the words first. It accepts only whole names, joins options and values by `=`, collects several words of one option, and
reports misuse.
"""

from collections.abc import Sequence
from itertools import takewhile

from qxbatch.nearest import nearest_name
from qxbatch.problems import UsageError
from qxbatch.settings.lists import LABEL_LISTS
from qxbatch.settings.parameter import Form, Parameter

YES_NO_WORDS = ("yes", "no", "true", "false")
LEVELS = ("participant", "group")
"""The third positional word of the BIDS-App form."""
_BIDS_APP_WORDS = 3
"""Number of positional words of the BIDS-App form: `DATA OUTPUT LEVEL`."""


class Words:
    """The options of one command line (long name to value; None for a switch), and its positional words."""

    def __init__(self) -> None:
        self.options: dict[str, str | None] = {}
        self.positional: list[str] = []
        self.labels: dict[str, list[str]] = {}
        """The words after an option that takes labels, by its long name; without those after `=`."""

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
        _refuse_separate_level(words)
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
        """Return the value after an option.

        If none follows, a yes-or-no option has the value `yes`; for any other option, UsageError is raised.
        """
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
        """Return the words up to the next option or path, joined by commas. Raises UsageError if there is no word.

        If labels are given after `=`, no further words are taken. If the last word is a level, the words of `DATA OUTPUT LEVEL`
        that are still missing are not taken.
        """
        values = [] if value is None else [value]
        takes_labels = parameter.name in LABEL_LISTS
        if not (takes_labels and values):
            following = _words_before_option(remaining)
            count = next((k for k, word in enumerate(following) if "/" in word), len(following))
            if takes_labels:
                count = min(count, _count_of_labels(following, _BIDS_APP_WORDS - len(words.positional)))
                words.labels[parameter.option] = following[:count]
            values += following[:count]
            del remaining[:count]
        if not values:
            before_data = (
                ", and `--` before DATA OUTPUT LEVEL" if takes_labels and _words_before_option(remaining) else ""
            )
            hint = f"Write {parameter.option} {parameter.metavar}{before_data}."
            raise UsageError(f"{parameter.option} needs a value.", hint)
        return ",".join(values)


def _words_before_option(remaining: Sequence[str]) -> list[str]:
    return list(takewhile(lambda word: not word.startswith("-"), remaining))


def _count_of_labels(following: Sequence[str], missing: int) -> int:
    """Return how many words after an option can be labels. If the last word is a level, the last `missing` ones are positional."""
    ends_with_level = bool(following) and _is_level(following[-1])
    return max(0, len(following) - missing) if ends_with_level and missing > 0 else len(following)


def _refuse_separate_level(words: Words) -> None:
    """Raise UsageError if words that were taken as labels may be those of `DATA OUTPUT LEVEL`.

    The level is then among the labels, or separate from the words before it: `--session-label a DATA OUTPUT --quiet LEVEL`.
    """
    positional = words.positional
    if len(positional) >= _BIDS_APP_WORDS:
        return
    is_incomplete = bool(positional) and _is_level(positional[-1])
    for option, labels in words.labels.items():
        if any(map(_is_level, labels)) or (is_incomplete and len(labels) > 1):
            raise UsageError(
                f"The words after {option} can be labels or DATA OUTPUT LEVEL: {' '.join(labels)}.",
                f"Write `--` before DATA, or {option}=LABELS.",
            )


def _is_level(word: str) -> bool:
    return word.casefold() in LEVELS
