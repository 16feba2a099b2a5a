"""Parses the words of a command and calls it."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from qxbatch.cli.commands import COMMANDS, Command
from qxbatch.cli.docopt_call import call_docopt
from qxbatch.cli.messages import set_up_messages
from qxbatch.cli.texts import command_text
from qxbatch.cli.words import Reader
from qxbatch.settings.parameter import find
from qxbatch.settings.paths import absolute_path

_OUTPUTS = ("log_file", "json_file")
"""Options of output files that are checked here. The module of a command checks its other options of outputs."""


def run(name: str, argv: Sequence[str]) -> int:
    """Run a command and return its exit status. Raises UsageError."""
    command = COMMANDS[name]
    options = read(name, command, argv)
    config = _config(options)
    values = {**config, **_given_values(command, options)}
    outputs = {
        option: absolute_path(option, values[output])
        for output in _OUTPUTS
        if values.get(output) and (option := find(command.parameters, output).option)
    }
    if outputs:
        from qxbatch.report.output_files import check_output_files, default_study_paths

        inbox = _masterinbox(options, values)
        studies = map(default_study_paths, _sessionsfolders(options))
        check_output_files(outputs, [study._replace(masterinbox=inbox or study.masterinbox) for study in studies])
    log_file = outputs.get("--log-file")
    set_up_messages(bool(options.get("--quiet")), log_file, ())
    if log_file:
        _log_head([name, *argv], command, values)
    module = import_module(f"qxbatch.commands.{name}")
    status: int = module.run({**options, "config": config})
    return status


def _config(options: Mapping[str, object]) -> dict[str, str]:
    """Return the parameters of the file of --config, which is read only once, since it may be a pipe. Raises UsageError."""
    if not options.get("--config"):
        return {}
    from qxbatch.settings.config import read_config

    return read_config(str(options["--config"]))


def _given_values(command: Command, options: Mapping[str, object]) -> dict[str, str]:
    """Return the parameters of the command line by name."""
    return {
        parameter.name: "yes" if options[parameter.option] is True else str(options[parameter.option])
        for parameter in command.parameters
        if options.get(parameter.option)
    }


def _log_head(words: Sequence[str], command: Command, values: Mapping[str, str]) -> None:
    from qxbatch.cli.log_head import log_head
    from qxbatch.settings.values import Values

    deidentified = bool(values.get("logfile")) or Values({**values}).switch("deidentify_logs")
    log_head(words, command.parameters, values, deidentified=deidentified)


def _sessionsfolders(options: Mapping[str, object]) -> set[Path]:
    """Return the folders that may be sessions folders: the parents of the <session> words, and the <folder> words."""
    names = options.get("<folder>") or []
    folders = {absolute_path("<folder>", str(name)) for name in (names if isinstance(names, list) else [names])}
    sessions = options.get("<session>")
    assert sessions is None or isinstance(sessions, list)
    return folders | {absolute_path("<session>", str(name)).parent for name in sessions or ()}


def _masterinbox(options: Mapping[str, object], values: Mapping[str, str]) -> Path | None:
    """Return the master inbox: DATA in the words DATA OUTPUT participant, else that of --masterinbox; None if there is none."""
    words = options.get("<folder>")
    inbox = values.get("masterinbox", "")
    if isinstance(words, list) and words[2:] == ["participant"]:
        inbox = str(words[0])
    return absolute_path("--masterinbox", inbox) if inbox and inbox.casefold() != "none" else None


def read(name: str, command: Command, argv: Sequence[str]) -> dict[str, object]:
    """Return the options by their long names, and the positional words by their names, such as `<path>`.

    An option is True or text, and False or None if it is not given; a word is text, a list of texts, or None if it is omitted.
    Raises UsageError.
    """
    words = Reader(command.parameters, f"qxbatch {name}").read(argv)
    text = command_text(command.summary, command.usage, command.parameters)
    return call_docopt(text, [name, *words.argv()], f"qxbatch {name}")
