"""Help texts, which docopt reads too. Nothing heavy is imported: `qxbatch --help` must start fast.

No text holds docopt's own default marker: a default that docopt fills in could not be told from a value that was
given, and the config file stands between the two.
"""

from qxbatch.settings.parameter import Form, Group, Parameter
from qxbatch.settings.parameters import PARAMETERS

WIDTH = 100
INDENT = 6

HELP_OPTIONS = "Help:\n  -h --help\n      This text.\n  --version\n      The version.\n"

IMPORT_HEAD = """\
qxbatch: a study's incoming MR packets become sorted DICOM, NIfTI images and session.txt.

Usage:
  qxbatch [<sessionsfolder>] [options]
  qxbatch <data> <output> <level> [options]

The first form imports what waits in <sessionsfolder>/inbox/MR. The second is the BIDS-App form: packets
lie in <data>, sessions are made below <output>, <level> is participant or group.
"""

IMPORT_FOOT = """\
Names of options may be written with - or _, values follow after = or a space.
Exit status: 0 done, 1 a packet or series failed, 64 wrong usage, 66 nothing was ready,
69 a converter is missing, 73 cannot write, 75 held by another run, 130 interrupted.
"""


def import_text(parts: tuple[tuple[str, str], ...] = ()) -> str:
    """Return the text of an import; `parts` are (name, summary) of the part commands that exist."""
    blocks = [IMPORT_HEAD]
    if parts:
        lines = [f"  {name:<9} {summary}\n" for name, summary in parts]
        blocks.append("Parts, each with its own --help, called as qxbatch PART:\n" + "".join(lines))
    blocks += [_group(group) for group in Group]
    return "\n".join([*blocks, HELP_OPTIONS, IMPORT_FOOT])


def part_text(summary: str, usage: tuple[str, ...], parameters: tuple[Parameter, ...]) -> str:
    """Return the text of a part command."""
    lines = "".join(f"  qxbatch {line}\n" for line in usage)
    options = "Options:\n" + "".join(option_text(parameter) for parameter in parameters)
    return "\n".join([f"{summary}\n", f"Usage:\n{lines}", options, HELP_OPTIONS])


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
    """Break text at spaces. No line begins with a dash: docopt would take it for an option."""
    lines: list[str] = []
    line = ""
    for word in text.replace("`", "").split(" "):
        if line and len(line) + 1 + len(word) > width and not word.startswith("-"):
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]
