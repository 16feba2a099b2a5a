"""Parses the words of a part command and calls it."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from qxbatch.cli.docopt_call import call
from qxbatch.cli.messages import set_up
from qxbatch.cli.parts import PARTS, Part
from qxbatch.cli.texts import part_text
from qxbatch.cli.words import Reader
from qxbatch.problems import UsageError


def run(name: str, argv: Sequence[str]) -> int:
    """Run a part. Raises UsageError."""
    part = PARTS.get(name)
    if part is None:
        raise UsageError(
            f"This version does not contain the part {name}.", f"For a folder of that name write ./{name}."
        )
    options = read(name, part, argv)
    log_file = options.get("--log-file")
    set_up(bool(options.get("--quiet")), Path(str(log_file)) if log_file else None, ())
    if log_file:
        from qxbatch.cli.log_head import log_head

        values = {
            parameter.name: str(options[parameter.option])
            for parameter in part.parameters
            if options.get(parameter.option)
        }
        log_head([name, *argv], part.parameters, values, deidentified=bool(options.get("--deidentify-logs")))
    module = import_module(f"qxbatch.parts.{name}")
    status: int = module.run(options)
    return status


def read(name: str, part: Part, argv: Sequence[str]) -> dict[str, object]:
    """Return long option names to None, True or text, and positional names (`<path>`) to text or a list of texts.

    Raises UsageError.
    """
    words = Reader(part.parameters, f"qxbatch {name}").read(argv)
    text = part_text(part.summary, part.usage, part.parameters)
    return call(text, [name, *words.argv()], f"qxbatch {name}")
