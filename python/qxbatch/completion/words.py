"""The words that a completion offers: options, values and positional words of each command."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from qxbatch.cli.commands import COMMANDS
from qxbatch.cli.main import HELP_ALL
from qxbatch.cli.words import LEVELS
from qxbatch.settings.parameter import Form, Parameter
from qxbatch.settings.parameters import JSON_FIELDS, PARAMETERS

DIR, FILE, ANY = "@dir", "@file", "@any"
"""A folder; a file or folder; any value. Other values are words to choose from."""
LISTED_VALUES = {"add_json_info": ("all", *JSON_FIELDS)}
"""Values of parameters whose metavar does not list them."""
IMPORT = ""
"""The name of the import among the commands."""
_USAGE_WORD = re.compile(r"<(\w+)>(\.\.\.)?")
"""A positional word in a usage: its name, and dots if it is repeatable."""


@dataclass(frozen=True)
class Option:
    """An option and its values."""

    name: str
    short: str
    meaning: str
    values: tuple[str, ...]
    """Empty: the option has no value."""
    has_optional_value: bool = False
    """Whether the value may be omitted; it is completed only after `=`."""


@dataclass(frozen=True)
class Word:
    """A positional word."""

    name: str
    values: tuple[str, ...]
    is_repeatable: bool = False
    """Whether several words may follow each other, each with one of these values."""


@dataclass(frozen=True)
class CommandCompletion:
    """What completes the words of the import or of another command."""

    name: str
    summary: str
    options: tuple[Option, ...]
    words: tuple[Word, ...]


HELP = (
    Option("--help", "-h", "Show the help; --help=all shows all options.", ()),
    Option(HELP_ALL, "", "All options.", ()),
    Option("--version", "", "The version.", ()),
)


def commands() -> tuple[CommandCompletion, ...]:
    """Return the import and then the other commands, in the order of the help."""
    levels = Word("level", LEVELS)
    words = (Word("sessionsfolder", (DIR,)), Word("output", (DIR,)), levels)
    import_command = CommandCompletion(IMPORT, "Imports packets.", _options(PARAMETERS), words)
    others = (
        CommandCompletion(
            name, command.summary, _options(command.parameters), _words(command.usage, command.word_choices)
        )
        for name, command in COMMANDS.items()
    )
    return (import_command, *others)


def _options(parameters: Sequence[Parameter]) -> tuple[Option, ...]:
    return (*(_option(parameter) for parameter in parameters), *HELP)


def _option(parameter: Parameter) -> Option:
    has_optional_value = parameter.form is Form.YES_NO
    return Option(parameter.option, parameter.short, parameter.meaning, values_of(parameter), has_optional_value)


def values_of(parameter: Parameter) -> tuple[str, ...]:
    """Return the values of an option; empty if it has none, ANY if none can be listed.

    In a metavar, words in capitals stand for other values, and `0-9` for numbers: they are not offered.
    """
    if parameter.form is Form.SWITCH:
        return ()
    if parameter.name in LISTED_VALUES:
        return LISTED_VALUES[parameter.name]
    kinds = {"DIR": DIR, "FILE": FILE}
    values = [kinds.get(value, value) for value in parameter.metavar.split("|")]
    words = tuple(value for value in values if value.startswith("@") or not value.isupper())
    return tuple(word for word in words if not re.search(r"[-0-9]+$", word)) or (ANY,)


def _words(usage: Sequence[str], choices: dict[str, tuple[str, ...]]) -> tuple[Word, ...]:
    """Return the positional words of the first line of a usage."""
    return tuple(
        Word(name, choices.get(name) or ((DIR,) if _is_folder(name) else (FILE,)), bool(dots))
        for name, dots in _USAGE_WORD.findall(usage[0])
    )


def _is_folder(name: str) -> bool:
    """Return whether a word names a folder. A `<path>` may also be an archive or a file."""
    return name == "session" or name.endswith(("folder", "dir"))
