"""Lists of what a person has to look at: each session or packet once, with its reasons and the command that fixes it.

Those that say the same are one block; a list that is too long is folded to counts by reason.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from qxbatch.problems import Code
from qxbatch.visible import one_line
from qxbatch.wrapping import columns_of, cut, wrapped

LONGEST = 15
"""Blocks that are listed one by one."""
LINES = 3
"""So many lines a message may take; `--list-all` has no limit."""
NAMES = 8
"""So many names are listed of what is folded or grouped."""


class Form(NamedTuple):
    """How a report is written."""

    width: int = 80
    list_all: bool = False


class Reason(NamedTuple):
    """One problem of a session or packet, as text."""

    code: Code
    subject: str
    """The series or file; empty where it is the whole."""
    message: str
    hint: str = ""
    command: str = ""


class Block(NamedTuple):
    """A session or packet and all that is to be said of it."""

    names: tuple[str, ...]
    reasons: tuple[Reason, ...]


def merged(blocks: Iterable[Block]) -> list[Block]:
    """Return blocks in order; those whose reasons are the same, but for the sessions in their commands, are one."""
    same: dict[object, list[Block]] = {}
    for block in blocks:
        key = tuple((each.code, each.subject, each.message, each.hint, bool(each.command)) for each in block.reasons)
        same.setdefault(key, []).append(block)
    return [_merged(group) for group in same.values()]


def _merged(group: Sequence[Block]) -> Block:
    names = tuple(name for block in group for name in block.names)
    if len(group) == 1:
        return group[0]
    commands = [merged_command([block.reasons[k].command for block in group]) for k in range(len(group[0].reasons))]
    reasons = [each._replace(command=command) for each, command in zip(group[0].reasons, commands, strict=True)]
    return Block(names, tuple(reasons))


def merged_command(commands: Sequence[str]) -> str:
    """Return the command for all sessions of some commands that differ in `--sessions` alone; else each on its line.

    >>> merged_command(["qxbatch /s --sessions=A --overwrite=yes", "qxbatch /s --sessions='B 2' --overwrite=yes"])
    "qxbatch /s '--sessions=A,B 2' --overwrite=yes"
    """
    import shlex

    different = list(dict.fromkeys(commands))
    if len(different) == 1:
        return different[0]
    try:
        words = [shlex.split(command) for command in different]
    except ValueError:
        return "\n".join(different)
    differing = {k for each in words for k, word in enumerate(each) if words[0][k : k + 1] != [word]}
    if len({len(each) for each in words}) > 1 or len(differing) != 1:
        return "\n".join(different)
    [k] = differing
    option = "--sessions="
    if any("$'" in command for command in different) or not all(each[k].startswith(option) for each in words):
        return "\n".join(different)
    sessions = ",".join(each[k].removeprefix(option) for each in words)
    return shlex.join([*words[0][:k], option + sessions, *words[0][k + 1 :]])


def text_of(blocks: Sequence[Block], form: Form) -> list[str]:
    """Return the lines of a list of blocks."""
    if len(blocks) > LONGEST and not form.list_all:
        return list(_folded(blocks, form))
    return [line for block in blocks for line in _block(block, form)]


def _folded(blocks: Sequence[Block], form: Form) -> Iterator[str]:
    """Yield a line for each reason, with how many have it; a block is of its first reason."""
    by_code: dict[Code, list[str]] = {}
    for block in blocks:
        by_code.setdefault(block.reasons[0].code, []).extend(block.names)
    for code, names in sorted(by_code.items(), key=lambda item: (-len(item[1]), item[0])):
        yield from wrapped(f"{len(names)} {code}: {_names(names, form)}", form.width, "  ", "      ")
    yield "  --list-all lists them with their reasons; so does the log (--log-file)."


def _names(names: Sequence[str], form: Form) -> str:
    shown = [one_line(name) for name in names]
    if len(shown) <= NAMES or form.list_all:
        return ", ".join(shown)
    return f"{', '.join(shown[:NAMES])} and {len(shown) - NAMES} more"


def _block(block: Block, form: Form) -> Iterator[str]:
    names = _names(block.names, form)
    if len(block.reasons) == 1:
        [reason] = block.reasons
        where = ", ".join(text for text in (names, one_line(reason.subject)) if text)
        yield from _message(f"{where}: {one_line(reason.message)}", form, "  ")
    else:
        yield from wrapped(f"{names}:", form.width, "  ", "      ")
        for reason in block.reasons:
            subject = f"{one_line(reason.subject)}: " if reason.subject else ""
            yield from _message(f"- {subject}{one_line(reason.message)}", form, "    ")
    for hint in dict.fromkeys(reason.hint for reason in block.reasons if reason.hint):
        yield from wrapped(one_line(hint), form.width, "      ", "      ")
    commands = (line for reason in block.reasons for line in reason.command.splitlines())
    yield from (f"      {one_line(command)}" for command in dict.fromkeys(commands))


def _message(text: str, form: Form, indent: str) -> list[str]:
    """Return a message; one that takes too many lines is cut at its end."""
    later = f"{indent}    "
    lines = wrapped(text, form.width, indent, later)
    if len(lines) <= LINES or form.list_all:
        return lines
    end = " ... (whole with --list-all)"
    last = cut(lines[LINES - 1], form.width - columns_of(end), "")
    return [*lines[: LINES - 1], last.rstrip(" ,;(") + end]
