"""Calls docopt with that part of a help text which a command line needs."""

import re
from collections.abc import Sequence

from docopt import DocoptExit, docopt

from qxbatch.problems import UsageError

_OPTION = re.compile(r"^ +(?:-\w )?(--[\w-]+)(=?)", re.MULTILINE)
"""The beginning of an option's description: its name, and `=` if it has a value."""


def call_docopt(text: str, argv: Sequence[str], command: str) -> dict[str, object]:
    """Return what docopt reads from normalized words, by the usage of a help text. Raises UsageError if they do not fit it.

    The options in `argv` are those that qxbatch.cli.words accepted, so only the positional words can be wrong. docopt gets only the
    options in `argv`: its time grows with the square of their number, and all options of an import took 13 ms. The values of the
    other options are None, or False for an option without a value. `command` is `qxbatch`, or `qxbatch NAME` with NAME as the first
    word of `argv`.
    """
    usage, _, descriptions = text.partition("Usage:\n")[2].partition("\n\n")
    all_options = dict(_OPTION.findall(descriptions))
    given = {word.partition("=")[0] for word in argv}
    described = (f"  {option}{'=VALUE' if equals else ''}" for option, equals in all_options.items() if option in given)
    others = {option: None if equals else False for option, equals in all_options.items()}
    try:
        parsed = docopt("\n".join(["Usage:", usage, "", "Options:", *described]), list(argv), default_help=False)
    except DocoptExit:
        command_words = len(command.split()) - 1
        positional = [word for word in argv[command_words:] if not word.startswith("-")]
        message = f"These words do not fit: {' '.join(positional)}." if positional else "Words are missing."
        forms = " or ".join(" ".join(line.split()) for line in usage.strip().splitlines())
        raise UsageError(message, f"Write {forms}; `{command} --help` says more.") from None
    return {**others, **parsed}
