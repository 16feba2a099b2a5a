"""Help texts, from which call_docopt takes usage and options. Nothing slow is imported: `qxbatch --help` must start fast."""

from qxbatch.settings.parameter import Form, Group, Parameter
from qxbatch.settings.parameters import MOST_USED, PARAMETERS

WIDTH = 80
INDENT = 6
HELP_OPTIONS = """\
Help:
  -h --help
      Show this text; --help=all shows all options.
  --version
      The version.
"""

IMPORT_HEAD = """\
qxbatch imports the MR packets of a study. Each becomes a session with sorted
DICOM, NIfTI images and session.txt.

Usage:
  qxbatch [<sessionsfolder>] [options]
  qxbatch <data> <output> <level> [options]

The first form imports the packets in <sessionsfolder>/inbox/MR; without the
argument, the sessions folder is the current folder. The second is the BIDS-App
form: packets are in <data>, sessions are written to <output>. With the <level>
participant it imports them, with group it writes the report of all sessions.
"""

IMPORT_FOOT = """\
Option names may be written with - or _. A value follows = or a space.
Exit status: 0 done, 1 a packet or series failed, 64 wrong usage, 66 nothing was
ready, 69 a converter is missing, 73 cannot write, 75 in use by another
run, 130 interrupted.
"""


def import_text(commands: tuple[tuple[str, str], ...] = ()) -> str:
    """Return the whole text of an import; `commands` are (name, summary)."""
    groups = (_group(group) for group in Group)
    return "\n".join([IMPORT_HEAD, *_command_list(commands), *groups, HELP_OPTIONS, IMPORT_FOOT])


def import_summary(commands: tuple[tuple[str, str], ...]) -> str:
    """Return the text of an import with the options used most; `commands` are (name, summary)."""
    return "\n".join([IMPORT_HEAD, *_command_list(commands), _most_used(PARAMETERS, "qxbatch"), IMPORT_FOOT])


def _command_list(commands: tuple[tuple[str, str], ...]) -> list[str]:
    """Return the block of the commands; empty if there are none."""
    if not commands:
        return []
    lines = "".join(_row(f"  {name:<9} ", summary) for name, summary in commands)
    return ["Commands, each with its own --help, called as qxbatch COMMAND:\n" + lines]


def _row(head: str, text: str) -> str:
    """Return a head, and to its right a wrapped text."""
    first_line, *more_lines = wrap(text, WIDTH - len(head))
    return f"{head}{first_line}\n" + "".join(f"{' ' * len(head)}{line}\n" for line in more_lines)


def command_text(summary: str, usage: tuple[str, ...], parameters: tuple[Parameter, ...]) -> str:
    """Return the whole text of a command; each line of `usage` is what follows `qxbatch`."""
    options = "Options:\n" + "".join(option_text(parameter) for parameter in parameters)
    return "\n".join([_command_head(summary, usage), options, HELP_OPTIONS])


def command_summary(name: str, summary: str, usage: tuple[str, ...], parameters: tuple[Parameter, ...]) -> str:
    """Return the text of a command with the options used most; with all of them if they are few."""
    if len(parameters) <= len(MOST_USED):
        return command_text(summary, usage, parameters)
    return "\n".join([_command_head(summary, usage), _most_used(parameters, f"qxbatch {name}")])


def _command_head(summary: str, usage: tuple[str, ...]) -> str:
    lines = "".join(f"  qxbatch {line}\n" for line in usage)
    return "\n".join(["".join(f"{line}\n" for line in wrap(summary, WIDTH)), f"Usage:\n{lines}"])


def _most_used(parameters: tuple[Parameter, ...], command: str) -> str:
    """Return the block of the options used most, and how to see the others.

    A command that lacks some of them gets as many of its other options, in the order of its table.
    """
    by_name = {parameter.name: parameter for parameter in parameters}
    common = [by_name[name] for name in MOST_USED if name in by_name]
    remaining = [parameter for parameter in parameters if parameter not in common]
    common += remaining[: len(MOST_USED) - len(common)]
    rows = "".join(option_text(parameter) for parameter in common)
    hint = f"`{command} --help=all` shows the {len(parameters) - len(common)} other options.\n"
    return f"Most used options:\n{rows}\n{hint}"


def _group(group: Group) -> str:
    rows = [option_text(parameter) for parameter in PARAMETERS if parameter.group is group]
    return f"{group.value}:\n" + "".join(rows)


def option_text(parameter: Parameter) -> str:
    """Return an option's head and, below it, its meaning."""
    names = f"{parameter.short} {parameter.option}" if parameter.short else parameter.option
    value = "" if parameter.form is Form.SWITCH else f"={parameter.metavar}"
    meaning = parameter.meaning
    if parameter.default:
        meaning += f" Default: {parameter.default}"
    lines = wrap(meaning, WIDTH - INDENT)
    return f"  {names}{value}\n" + "".join(f"{' ' * INDENT}{line}\n" for line in lines)


def wrap(text: str, width: int) -> list[str]:
    """Break text at spaces, without backticks. Only the first line may begin with a dash: docopt would take others for options."""
    lines: list[str] = []
    line = ""
    for word in text.replace("`", "").split(" "):
        if line and len(line) + 1 + len(word) > width and not word.startswith("-"):
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]
