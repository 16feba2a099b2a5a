"""The man page qxbatch(1), generated from the tables of parameters and commands."""

import re
from collections.abc import Iterable

from qxbatch.cli.commands import COMMANDS, Command
from qxbatch.core import VERSION
from qxbatch.exits import ExitStatus
from qxbatch.settings.boutiques import STATUSES
from qxbatch.settings.parameter import Form, Group, Parameter
from qxbatch.settings.parameters import PARAMETERS

HEAD = r"""
.TH QXBATCH 1 "" "qxbatch {version}" "User Commands"
.SH NAME
qxbatch \- import MR packets: sorted DICOM, NIfTI images and session.txt
.SH SYNOPSIS
.B qxbatch
.RI [ sessionsfolder ]
.RI [ options ]
.br
.B qxbatch
.I data output level
.RI [ options ]
.br
.B qxbatch
.I command
\&...
.SH DESCRIPTION
The first form imports the packets (folders, zip, 7z and tar archives of DICOM or PAR/REC) in
.IR sessionsfolder /inbox/MR;
without the argument, the sessions folder is the current folder.
The second is the BIDS-App form: packets are in
.IR data ,
sessions are written to
.IR output .
With the
.I level
participant it imports them, with group it writes the report of all sessions.
The third calls a command.
.PP
Option names may be written with \- or _; values follow = or a space.
A packet is moved only when its session is written and verified.
""".lstrip()

EXAMPLES = (
    ("A first try with real scans:", "qxbatch demo"),
    ("Print what would be done:", "qxbatch /data/study/sessions --test"),
    ("Packets named OP101_baseline.zip:", "qxbatch DIR --nameformat='(?P<subject_id>.*?)_(?P<session_name>.*)'"),
    ("Check all sessions:", "qxbatch verify /data/study/sessions"),
)


def page() -> str:
    """Return the page."""
    lines = [
        ".SH COMMANDS",
        *(line for name, command in COMMANDS.items() for line in _command(name, command)),
        ".SH OPTIONS OF AN IMPORT",
        *(line for group in Group for line in _group(group)),
        ".SH EXIT STATUS",
        *(line for status, text in _statuses() for line in (".TP", f".B {status}", _escaped(text))),
        ".SH EXAMPLES",
        *(line for text, command in EXAMPLES for line in (".TP", _escaped(text), f".B {_escaped(command)}")),
    ]
    return HEAD.replace("{version}", VERSION) + "\n".join(lines) + "\n"


def _statuses() -> Iterable[tuple[int, str]]:
    yield int(ExitStatus.OK), "all done"
    yield from ((int(status), text) for status, text in STATUSES.items())


def _command(name: str, command: Command) -> Iterable[str]:
    """Yield a command: its usage, its summary, its specific options, and the names of the options that an import has, too."""
    yield f".SS qxbatch {name}"
    yield from (line for usage in command.usage for line in (f".B {_escaped(f'qxbatch {usage}')}", ".br"))
    yield ".PP"
    yield _escaped(command.summary)
    specific = [parameter for parameter in command.parameters if parameter not in PARAMETERS]
    shared = [parameter.option for parameter in command.parameters if parameter in PARAMETERS]
    yield from (line for parameter in specific for line in _option(parameter))
    if shared:
        yield ".PP"
        yield _escaped(f"As for an import: {', '.join(shared)}.")


def _group(group: Group) -> Iterable[str]:
    rows = [parameter for parameter in PARAMETERS if parameter.group is group]
    if rows:
        yield f".SS {_escaped(group.value)}"
        yield from (line for parameter in rows for line in _option(parameter))


def _option(parameter: Parameter) -> Iterable[str]:
    value = "" if parameter.form is Form.SWITCH else f"={parameter.metavar}"
    names = ", ".join(filter(None, (parameter.short, f"{parameter.option}{value}")))
    yield ".TP"
    yield f".B {_escaped(names)}"
    yield _escaped(parameter.meaning.replace("`", ""))
    if parameter.default:
        yield _escaped(f"Default: {parameter.default}")


def _escaped(text: str) -> str:
    """Return text escaped for roff: dashes of options can be copied, and no line is a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text)
