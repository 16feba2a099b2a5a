"""`qxbatch worker`: imports one named packet, or a task of a submitted import."""

from collections.abc import Mapping

from qxbatch.collecting import collect_seldom
from qxbatch.exits import ExitStatus
from qxbatch.os_error import reason_text
from qxbatch.problems import UsageError
from qxbatch.settings.model import Settings
from qxbatch.settings.parameters import PARAMETERS
from qxbatch.settings.parse import parse

_WORD_COUNTS = (1, 3)
"""Possible numbers of positional words: SESSIONSFOLDER, or DATA OUTPUT participant."""


def run(options: Mapping[str, object]) -> int:
    """Import the packet, or do the work of the task; return the exit status. Raises UsageError."""
    collect_seldom()
    words = options["<folder>"]
    assert isinstance(words, list)
    if options["--submission"]:
        from qxbatch.cluster.task import run_task

        return run_task(words[0], str(options["--submission"]), str(options["--task"] or ""))
    if not options["--packet"]:
        raise UsageError("No packet is named.", "Write --packet=NAME: its name in the inbox, or its session id.")
    from qxbatch.cluster.single import import_one

    return import_one(_settings(options, words), str(options["--packet"]))


def _settings(options: Mapping[str, object], words: list[str]) -> Settings:
    if len(words) not in _WORD_COUNTS or words[2:] not in ([], ["participant"]):
        raise UsageError(
            f"worker {' '.join(words)}: the folders are not as expected.",
            "Give the sessions folder, or DATA OUTPUT participant.",
        )
    values = _values(options)
    if len(words) == 1:
        return _prepared_settings(
            {**values, "sessionsfolder": words[0], "sessions": _session_globs(values)}, bids_app=False
        )
    return _prepared_settings({**values, "masterinbox": words[0], "sessionsfolder": words[1]}, bids_app=True)


def _values(options: Mapping[str, object]) -> dict[str, str]:
    """Return the parameters of the config file and of the command line, which overrides it."""
    values = {
        parameter.name: "yes" if options[parameter.option] is True else str(options[parameter.option])
        for parameter in PARAMETERS
        if options.get(parameter.option)
    }
    values.pop("config", None)
    config = options["config"]
    assert isinstance(config, dict)
    return {**config, **values}


def _session_globs(values: Mapping[str, str]) -> str:
    """Return the value of --sessions: in folder mode all sessions, among which --packet chooses one."""
    return "*" if values.get("masterinbox", "").casefold() == "none" else ""


def _prepared_settings(values: dict[str, str], *, bids_app: bool) -> Settings:
    """Return the settings, after creating the sessions folder if it does not exist. Raises UsageError."""
    from qxbatch.record.mapped_path import checked_outside_path

    parsed = parse(values, bids_app=bids_app, on_command_line=values)
    if parsed.settings.test:  # from a config file: there is no option --test
        raise UsageError(
            "The config file has the parameter test, and a worker has no dry run.",
            "Leave it out, or write test = false.",
        )
    folder = parsed.settings.sessionsfolder
    checked_outside_path(folder, parsed.settings.path_map)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:  # for example a link to nothing has that name
        message = f"The sessions folder {folder} cannot be created: {reason_text(error, folder)}."
        raise UsageError(message, "Name a folder that can be written.", ExitStatus.CANNOT_WRITE) from None
    return parsed.settings
