"""The one call of docopt."""

from collections.abc import Sequence

from docopt import DocoptExit, docopt

from qxbatch.problems import UsageError


def call(text: str, argv: Sequence[str], command: str) -> dict[str, object]:
    """Match words that were brought into form against a help text. Raises UsageError when they do not fit its usage.

    The options are known to be right, so what does not fit are the words without a dash: too many or too few.
    """
    try:
        return dict(docopt(text, list(argv), default_help=False))
    except DocoptExit:
        own = len(command.split()) - 1
        loose = [word for word in argv[own:] if not word.startswith("-")]
        given = f"These words do not fit: {' '.join(loose)}." if loose else "Words are missing."
        usage = text.partition("Usage:\n")[2].partition("\n\n")[0].strip()
        forms = " or ".join(" ".join(line.split()) for line in usage.splitlines())
        raise UsageError(given, f"Write {forms}; `{command} --help` says more.") from None
