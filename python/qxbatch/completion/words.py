"""What may stand on the command line: of each command its options with their values, and its other words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from qxbatch.cli.main import HELP_ALL
from qxbatch.cli.parts import PARTS
from qxbatch.cli.words import LEVELS
from qxbatch.settings.parameter import Form, Parameter
from qxbatch.settings.parameters import JSON_FIELDS, PARAMETERS

DIR, FILE, ANY = "@dir", "@file", "@any"
"""A folder; a file or folder; a value of which nothing is known. Other values are words to choose from."""
OWN_VALUES = {"add_json_info": ("all", *JSON_FIELDS)}
"""Values of parameters whose metavar does not list them."""
IMPORT = ""
"""The name of the import among the commands."""
WORD = re.compile(r"<(\w+)>(\.\.\.)?")


@dataclass(frozen=True)
class Option:
    """An option, and what may follow it."""

    name: str
    short: str
    meaning: str
    values: tuple[str, ...]
    """Empty: it takes none."""
    optional: bool = False
    """The value follows `=` or is left out."""


@dataclass(frozen=True)
class Word:
    """A word without dashes."""

    name: str
    values: tuple[str, ...]
    repeated: bool = False


@dataclass(frozen=True)
class Command:
    """The import, or a part."""

    name: str
    summary: str
    options: tuple[Option, ...]
    words: tuple[Word, ...]


HELP = (
    Option("--help", "-h", "The options that people use first.", ()),
    Option(HELP_ALL, "", "All options.", ()),
    Option("--version", "", "The version.", ()),
)


def commands() -> tuple[Command, ...]:
    """Return the import and then the parts, in the order of the help."""
    levels = Word("level", LEVELS)
    words = (Word("sessionsfolder", (DIR,)), Word("output", (DIR,)), levels)
    whole = Command(IMPORT, "Imports packets.", _options(PARAMETERS), words)
    parts = (
        Command(name, part.summary, _options(part.parameters), _words(part.usage, part.words))
        for name, part in PARTS.items()
    )
    return (whole, *parts)


def _options(parameters: Sequence[Parameter]) -> tuple[Option, ...]:
    return (*(_option(each) for each in parameters), *HELP)


def _option(parameter: Parameter) -> Option:
    optional = parameter.form is Form.YES_NO
    return Option(parameter.option, parameter.short, parameter.meaning, values_of(parameter), optional)


def values_of(parameter: Parameter) -> tuple[str, ...]:
    """Return what may follow an option; nothing where it takes no value."""
    if parameter.form is Form.SWITCH:
        return ()
    if parameter.name in OWN_VALUES:
        return OWN_VALUES[parameter.name]
    kinds = {"DIR": DIR, "FILE": FILE}
    values = [kinds.get(each, each) for each in parameter.metavar.split("|")]
    known = tuple(each for each in values if each.startswith("@") or not each.isupper())
    return tuple(each for each in known if not re.search(r"[-0-9]+$", each)) or (ANY,)


def _words(usage: Sequence[str], choices: dict[str, tuple[str, ...]]) -> tuple[Word, ...]:
    """Return the words of a usage without dashes."""
    return tuple(
        Word(name, choices.get(name) or ((DIR,) if _is_folder(name) else (FILE,)), bool(dots))
        for name, dots in WORD.findall(usage[0])
    )


def _is_folder(name: str) -> bool:
    """A `<folder>` may be an archive or a file in its place; a session and a folder of sessions may not."""
    return name == "session" or name.endswith(("sfolder", "dir"))
