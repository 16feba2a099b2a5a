"""An import's command line becomes raw parameters: what was given, as text, by name."""

from collections.abc import Sequence

from qxbatch.cli.docopt_call import call
from qxbatch.cli.texts import import_text
from qxbatch.cli.words import LEVELS, Reader
from qxbatch.problems import UsageError
from qxbatch.settings.parameters import PARAMETERS


class Request:
    """What the command line asks for; `level` is empty unless the BIDS-App form was used."""

    def __init__(self, given: dict[str, str], level: str) -> None:
        self.given = given
        self.level = level


def read(argv: Sequence[str]) -> Request:
    """Read an import's command line. Raises UsageError."""
    words = Reader(PARAMETERS, "qxbatch").read(argv)
    _count(words.positional)
    found = call(import_text(), words.argv(), "qxbatch")
    given = {
        parameter.name: "yes" if value is True else str(value)
        for parameter in PARAMETERS
        if (value := found[parameter.option]) not in (None, False)
    }
    level = found["<level>"]
    if level is None:
        return Request(_with_folder(given, found["<sessionsfolder>"]), "")
    for name, place in (("masterinbox", "<data>"), ("sessionsfolder", "<output>")):
        if name in given:
            raise UsageError(
                f"--{name} and the BIDS-App form name the same folder twice.",
                f"Leave out --{name}: {place} is it.",
            )
        given[name] = str(found[place])
    return Request(given, str(level))


def _count(positional: Sequence[str]) -> None:
    """Say what is wrong with the words that have no dash, in words that fit the case."""
    if "" in positional:
        raise UsageError("A folder is given as an empty text.", "Perhaps a variable of the shell is not set.")
    match positional:
        case [] | [_]:
            return
        case [_, _, level]:
            if level not in LEVELS:
                raise UsageError(
                    f"The level {level!r} is not known.", f"Write {' or '.join(LEVELS)} as the third word."
                )
        case _:
            raise UsageError(
                f"There are {len(positional)} words that belong to no option: {' '.join(positional)}.",
                "Give one sessions folder, or <data> <output> <level>; a value with spaces needs quotes.",
            )


def _with_folder(given: dict[str, str], folder: object) -> dict[str, str]:
    """Put the positional sessions folder in place."""
    if folder is None:
        return given
    if given.get("sessionsfolder", folder) != folder:
        raise UsageError(
            f"Two sessions folders are given: {folder} and --sessionsfolder={given['sessionsfolder']}.",
            "Give one.",
        )
    return {**given, "sessionsfolder": str(folder)}
