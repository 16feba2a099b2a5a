"""Lists of problems as text: each session or packet once, with its reasons and the command that fixes it.

Sessions with the same reasons are one block; a list that is too long is folded to counts and names by problem code.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from qxbatch.problems import Code
from qxbatch.report.commands import merged_commands, split_command, without_sessions
from qxbatch.visible import one_line
from qxbatch.wrapping import cut, wrapped

MAX_BLOCKS = 15
"""Maximum number of blocks that are listed one by one."""
FEW_BLOCKS = 3
"""Up to this number of blocks, messages have more lines, and the commands of merged blocks stay separate."""
LINES_OF_FEW = 3
"""Maximum number of lines of a message in a list of few blocks; `--list-all` has no limit."""
LINES_OF_MANY = 2
"""The same in a list of more blocks."""
CUT_MARK = " ..."
"""The end of a message that was cut."""
MAX_COMMAND = 1000
"""Maximum number of characters of a command in a folded list."""
TOO_LONG = "      (the command for all of them is long: it is in the log, and --list-all prints it)"
"""The line that is printed instead of a longer command."""
MAX_NAMES = 8
"""Maximum number of names in one list, such as those of a merged block; `--list-all` has no limit."""


class TextLayout(NamedTuple):
    """The layout of a report as text."""

    width: int = 80
    """Columns."""
    list_all: bool = False
    """Whether lists and messages are complete (`--list-all`)."""
    max_lines: int | None = None
    """Maximum number of lines of a message, which `lines_of` sets; None: no limit."""


class Reason(NamedTuple):
    """One problem of a session or packet, as text."""

    code: Code
    subject: str
    """The series or file; empty if the reason is about the whole session."""
    message: str
    hint: str = ""
    command: str = ""
    """The command that fixes it; several are separated by line feeds."""


class Block(NamedTuple):
    """A session or packet and all messages about it; after merging, several of them with the same messages."""

    names: tuple[str, ...]
    """The sessions or packets."""
    reasons: tuple[Reason, ...]


def merge_blocks(blocks: Iterable[Block]) -> list[Block]:
    """Return blocks in order; those whose reasons differ only in the text of their commands are merged into one."""
    groups: dict[object, list[Block]] = {}
    for block in blocks:
        key = tuple(
            (reason.code, reason.subject, reason.message, reason.hint, bool(reason.command)) for reason in block.reasons
        )
        groups.setdefault(key, []).append(block)
    return [group[0] if len(group) == 1 else _merge(group) for group in groups.values()]


def _merge(group: Sequence[Block]) -> Block:
    names = tuple(name for block in group for name in block.names)
    reasons = []
    for k, reason in enumerate(group[0].reasons):
        commands = [block.reasons[k].command for block in group]
        command_lines = commands if len(group) <= FEW_BLOCKS else merged_commands(commands)
        reasons.append(reason._replace(command="\n".join(command_lines)))
    return Block(names, tuple(reasons))


def lines_of(blocks: Sequence[Block], layout: TextLayout, *, cuts_messages: bool = True) -> list[str]:
    """Return the lines of a report about these blocks: each with its messages, and with what to do.

    Without `layout.list_all`, more than MAX_BLOCKS blocks are folded to counts and names, and with `cuts_messages`, long messages
    are cut.
    """
    if len(blocks) > MAX_BLOCKS and not layout.list_all:
        return list(_folded_lines(blocks, layout))
    max_lines = LINES_OF_FEW if len(blocks) <= FEW_BLOCKS else LINES_OF_MANY
    layout = layout._replace(max_lines=max_lines if cuts_messages and not layout.list_all else None)
    return [line for block in blocks for line in (*_block(block, layout), *_remedies(block.reasons, layout))]


def _remedy_key(block: Block) -> tuple[object, ...]:
    """Return a key that is equal for blocks whose hints are the same, and whose commands have the same shapes (`_shape_key`).

    The key of a block without hints and commands contains its names, so that such blocks do not form a group.
    """
    commands = {_shape_key(line) for reason in block.reasons for line in reason.command.split("\n") if line}
    hints = tuple(dict.fromkeys(reason.hint for reason in block.reasons))
    return (hints, frozenset(commands)) if any(hints) or commands else (hints, block.names)


def _shape_key(command: str) -> object:
    """Return a key that is equal for commands that differ only in --sessions.

    For commands that `split_command` does not split, it is the first word.
    """
    words = split_command(command)
    return command.partition(" ")[0] if words is None else without_sessions(words)


def _folded_lines(blocks: Sequence[Block], layout: TextLayout) -> Iterator[str]:
    """Yield the names for each problem code; also what to do, if that is the same for all of them.

    A block counts for the code of its first reason.
    """
    by_code: dict[Code, list[Block]] = {}
    for block in blocks:
        by_code.setdefault(block.reasons[0].code, []).append(block)
    for code, group in sorted(by_code.items(), key=lambda item: (-_count(item[1]), item[0])):
        names = [name for block in group for name in block.names]
        yield from wrapped(f"{len(names)} {code}: {_names(names, layout)}", layout.width, "  ", "      ")
        if len({_remedy_key(block) for block in group}) == 1:
            reasons = (reason for block in group for reason in block.reasons)
            lines = _remedies(reasons, layout, merges_commands=True)
            yield from (line if len(line) <= MAX_COMMAND else TOO_LONG for line in lines)
    yield "  --list-all lists them with their reasons; so does the log (--log-file)."


def _count(blocks: Sequence[Block]) -> int:
    return sum(len(block.names) for block in blocks)


def _names(names: Sequence[str], layout: TextLayout) -> str:
    texts = [one_line(name) for name in names]
    if len(texts) <= MAX_NAMES or layout.list_all:
        return ", ".join(texts)
    return f"{', '.join(texts[:MAX_NAMES])} and {len(texts) - MAX_NAMES} more"


def _block(block: Block, layout: TextLayout) -> Iterator[str]:
    names = _names(block.names, layout)
    if len(block.reasons) > 1 or len(names) > layout.width:
        yield from wrapped(f"{names}:", layout.width, "  ", "      ")
        for reason in block.reasons:
            yield from _message(f"- {_reason_text(reason, layout)}", layout, "    ")
        return
    [reason] = block.reasons
    separator = ", " if reason.subject and not _is_long(reason.subject, layout) else ": "
    yield from _message(f"{names}{separator}{_reason_text(reason, layout)}", layout, "  ")


def _reason_text(reason: Reason, layout: TextLayout) -> str:
    """Return subject and message. A long subject, such as a list of files, follows the message, so that only this list is cut."""
    subject, message = one_line(reason.subject), one_line(reason.message)
    if not subject:
        return message
    if _is_long(subject, layout):
        return f"{message.rstrip('.')}: {subject}."
    return f"{subject}: {message}"


def _is_long(subject: str, layout: TextLayout) -> bool:
    return len(one_line(subject)) > layout.width


def _remedies(reasons: Iterable[Reason], layout: TextLayout, *, merges_commands: bool = False) -> Iterator[str]:
    """Yield each hint once, followed by its commands. Commands without a hint are the first."""
    commands_of: dict[str, list[str]] = {"": []}
    for reason in reasons:
        commands_of.setdefault(reason.hint, []).extend(filter(None, reason.command.split("\n")))
    for hint, commands in commands_of.items():
        if hint:
            yield from wrapped(one_line(hint), layout.width, "      ", "      ")
        distinct_commands = merged_commands(commands) if merges_commands else dict.fromkeys(commands)
        yield from (f"      {one_line(command)}" for command in distinct_commands)


def _message(text: str, layout: TextLayout, indent: str) -> list[str]:
    """Return the lines of a message. If there are too many, the last line ends with CUT_MARK."""
    lines = wrapped(text, layout.width, indent, f"{indent}    ")
    if layout.max_lines is None or len(lines) <= layout.max_lines:
        return lines
    last_line = cut(
        f"{lines[layout.max_lines - 1]} {lines[layout.max_lines].strip()}", layout.width - len(CUT_MARK), ""
    )
    return [*lines[: layout.max_lines - 1], last_line.rstrip(" ,;(") + CUT_MARK]
