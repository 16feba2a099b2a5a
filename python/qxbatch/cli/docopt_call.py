"""The one call of docopt."""

from collections.abc import Sequence

from docopt import DocoptExit, docopt

from qxbatch.problems import UsageError


def call(text: str, argv: Sequence[str], command: str) -> dict[str, object]:
    """Return what docopt reads from normalized words, by the usage of a help text. Raises UsageError if they do not fit it.

    qxbatch.cli.words has checked the options, so only the number of positional words can be wrong.
    """
    try:
        return dict(docopt(text, list(argv), default_help=False))
    except DocoptExit:
        command_words = len(command.split()) - 1
        positional = [word for word in argv[command_words:] if not word.startswith("-")]
        message = f"These words do not fit: {' '.join(positional)}." if positional else "Words are missing."
        usage = text.partition("Usage:\n")[2].partition("\n\n")[0].strip()
        forms = " or ".join(" ".join(line.split()) for line in usage.splitlines())
        raise UsageError(message, f"Write {forms}; `{command} --help` says more.") from None
