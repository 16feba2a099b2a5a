"""Parses the words of a command and calls it."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from qxbatch.cli.commands import COMMANDS, Command
from qxbatch.cli.docopt_call import call
from qxbatch.cli.messages import set_up
from qxbatch.cli.texts import command_text
from qxbatch.cli.words import Reader
from qxbatch.problems import UsageError


def run(name: str, argv: Sequence[str]) -> int:
    """Run a command. Raises UsageError."""
    command = COMMANDS.get(name)
    if command is None:
        raise UsageError(
            f"This version does not contain the command {name}.", f"For a folder of that name write ./{name}."
        )
    options = read(name, command, argv)
    log_file = options.get("--log-file")
    set_up(bool(options.get("--quiet")), Path(str(log_file)) if log_file else None, ())
    if log_file:
        from qxbatch.cli.log_head import log_head

        values = {
            parameter.name: str(options[parameter.option])
            for parameter in command.parameters
            if options.get(parameter.option)
        }
        log_head([name, *argv], command.parameters, values, deidentified=bool(options.get("--deidentify-logs")))
    module = import_module(f"qxbatch.commands.{name}")
    status: int = module.run(options)
    return status


def read(name: str, command: Command, argv: Sequence[str]) -> dict[str, object]:
    """Return long option names to None, True or text, and positional names (`<path>`) to text or a list of texts.

    Raises UsageError.
    """
    words = Reader(command.parameters, f"qxbatch {name}").read(argv)
    text = command_text(command.summary, command.usage, command.parameters)
    return call(text, [name, *words.argv()], f"qxbatch {name}")
