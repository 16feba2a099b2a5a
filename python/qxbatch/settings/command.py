"""The command line that repeats a run for some sessions, in the form that the user used: import, one stage, or BIDS-App."""

import re
from collections.abc import Mapping, Sequence

from qxbatch.session.layout import MASTER_INBOX
from qxbatch.settings.model import Settings, Stages
from qxbatch.settings.parameter import Form, find
from qxbatch.settings.parameters import PARAMETERS
from qxbatch.settings.values import NO
from qxbatch.visible import shell_word

_NOT_REPEATED = frozenset(
    (
        *("sessionsfolder", "masterinbox", "sessions", "participant_label", "session_label", "skip_bids_validator"),
        *("check", "test", "verbose", "quiet", "list_all", "json_file", "log_file"),
        *("existing_structure", "clean_dicom_folders"),
        *("scheduler", "container", "wait", "print_script"),
    )
)
"""Parameters that the command does not repeat: `_form` writes them, or they choose packets, stop a run before its work, affect
only reports, have no effect, or submit to a cluster."""
_REGEX_SPECIAL = re.compile(r"[.^$*+?{}\[\]\\|(),]")
_GLOB_SPECIAL = re.compile(r"[*?\[{,(\\]|^\s|\s$")


def command_for(settings: Settings, sessions: Sequence[str], changes: Mapping[str, str] | None = None) -> str:
    """Return the command that imports these sessions, by their ids, quoted for a shell.

    `changes` has new values of parameters by name. Other options of the user are repeated, so that the packets become the same
    sessions.
    """
    repeated = {
        name: value
        for name, value in settings.command_line
        if name not in _NOT_REPEATED and value and not _is_switched_off(name, value)
    }
    options = [option_word(name, value) for name, value in {**repeated, **(changes or {})}.items()]
    return " ".join(shell_word(word) for word in ("qxbatch", *_form(settings, sessions), *options))


def _form(settings: Settings, sessions: Sequence[str]) -> list[str]:
    """Return the words that name the command, its folders and the sessions, in the form that the user used."""
    folder, inbox = settings.sessionsfolder, settings.masterinbox
    if settings.stages is not Stages.ALL:
        return [settings.stages.value, *(str(folder / session) for session in sessions)]
    escape = as_glob if inbox is None else as_regex
    chosen = f"--sessions={','.join(map(escape, sessions))}"
    if settings.bids_app:
        return [str(inbox), str(folder), "participant", chosen]
    if inbox == folder / MASTER_INBOX:
        return [str(folder), chosen]
    return [str(folder), f"--masterinbox={inbox or 'none'}", chosen]


def _is_switched_off(name: str, value: str) -> bool:
    """Return whether a switch is off: a Python program can pass `deidentify_logs=False`; the command line has no word for it."""
    return find(PARAMETERS, name).form is Form.SWITCH and value.casefold() in NO


def option_word(name: str, value: str) -> str:
    """Return a parameter with its value as one word of a command line, not quoted for a shell."""
    parameter = find(PARAMETERS, name)
    return parameter.option if parameter.form is Form.SWITCH else f"{parameter.option}={value}"


def as_regex(session: str) -> str:
    """Return a regular expression that matches only this name; commas are escaped, since they separate the items of a list.

    >>> as_regex("IM0.dcm"), as_regex("HQ210_base"), as_regex("a,b")
    ('IM0\\\\.dcm', 'HQ210_base', 'a\\\\,b')
    """
    return _REGEX_SPECIAL.sub(lambda match: f"\\{match[0]}", session)


def as_glob(session: str) -> str:
    """Return a glob that matches only this name, and that `split_list` reads as one item.

    So commas, opening brackets, backslashes and outer white space are escaped, too.

    >>> as_glob("S1*"), as_glob("HQ210_base"), as_glob("S(1")
    ('S1[*]', 'HQ210_base', 'S[(]1')
    """
    # in a list a backslash escapes the next character, so one alone would escape the bracket; a set may have a character twice
    return _GLOB_SPECIAL.sub(lambda match: r"[\\]" if match[0] == "\\" else f"[{match[0]}]", session)
