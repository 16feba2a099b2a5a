"""Parses an import's command line into raw parameters: text by name."""

from collections.abc import Sequence

from qxbatch.cli.docopt_call import call_docopt
from qxbatch.cli.texts import import_text
from qxbatch.cli.words import LEVELS, Reader
from qxbatch.problems import UsageError
from qxbatch.settings.parameters import PARAMETERS


class Request:
    """The parameters of the command line by name; `level` is empty unless the BIDS-App form was used."""

    def __init__(self, values: dict[str, str], level: str) -> None:
        self.values = values
        self.level = level


def read(argv: Sequence[str]) -> Request:
    """Read an import's command line. Raises UsageError."""
    words = Reader(PARAMETERS, "qxbatch").read(argv)
    _check_positional(words.positional)
    parsed = call_docopt(import_text(), words.argv(), "qxbatch")
    values = {
        parameter.name: "yes" if value is True else str(value)
        for parameter in PARAMETERS
        if (value := parsed[parameter.option]) not in (None, False)
    }
    level = parsed["<level>"]
    if level is None:
        return Request(_with_folder(values, parsed["<sessionsfolder>"]), "")
    for name, word in (("masterinbox", "<data>"), ("sessionsfolder", "<output>")):
        if name in values:
            raise UsageError(
                f"--{name} and the {word} of the BIDS-App form are given.",
                f"Leave out --{name}.",
            )
        values[name] = str(parsed[word])
    return Request(values, str(level))


def _check_positional(positional: Sequence[str]) -> None:
    """Raise UsageError if the positional words are wrong; each kind of mistake has its own message."""
    if "" in positional:
        raise UsageError("A folder, or the level, is an empty text.", "Perhaps a variable of the shell is not set.")
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


def _with_folder(values: dict[str, str], folder: object) -> dict[str, str]:
    """Return the values with the positional sessions folder, if there is one. Raises UsageError if another one is given."""
    if folder is None:
        return values
    if values.get("sessionsfolder", folder) != folder:
        raise UsageError(
            f"Two sessions folders are given: {folder} and --sessionsfolder={values['sessionsfolder']}.",
            "Give one.",
        )
    return {**values, "sessionsfolder": str(folder)}
