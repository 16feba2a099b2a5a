"""The commands of a page of the documentation, and the output that the page shows."""

import re
from dataclasses import dataclass, field
from pathlib import Path

_FENCE = re.compile(r"^(?P<indent> *)```(?P<kind>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_STATUS = re.compile(r"<!-- exit status (\d+) -->\s*\Z")
_VARIES = (
    (re.compile(r"\b\d+(?:\.\d+)? s\b"), "# s"),
    (re.compile(r"\b\d+:\d\d\b"), "#:##"),
    (re.compile(r"\b\d+(?:\.\d+)? [kMG]?B\b"), "# B"),
    (re.compile(r"[─━]+"), "-"),
)
"""What differs from run to run: durations and sizes."""
OMITTED = "..."


@dataclass
class Command:
    """A block of commands, its exit status, and the outputs shown below it."""

    text: str
    status: int = 0
    outputs: list[str] = field(default_factory=list)


def commands(page: Path) -> list[Command]:
    """Return the `sh` blocks of a page; a `text` block belongs to the `sh` block before it.

    The comment `<!-- exit status 1 -->` before a block is for commands that end so.
    """
    text = page.read_text(encoding="utf-8")
    blocks: list[Command] = []
    for match in _FENCE.finditer(text):
        indent = match["indent"]
        content = "\n".join(line.removeprefix(indent) for line in match["text"].splitlines())
        if match["kind"] == "sh":
            status = _STATUS.search(text, 0, match.start())
            blocks.append(Command(content, int(status[1]) if status else 0))
        elif match["kind"] == "text":
            assert blocks, f"{page.name} shows output before any command"
            blocks[-1].outputs.append(content)
    return blocks


def kinds(page: Path) -> set[str]:
    """Return the kinds of all blocks of a page."""
    return {match["kind"] for match in _FENCE.finditer(page.read_text(encoding="utf-8"))}


def untested(page: Path) -> list[str]:
    """Return the `bash` blocks of a page: commands that need a program which the tests do not have."""
    return [match["text"] for match in _FENCE.finditer(page.read_text(encoding="utf-8")) if match["kind"] == "bash"]


def missing(output: str, shown: str) -> list[str]:
    """Return the pieces of what a page shows that a run did not print, in this order; `...` stands for anything."""
    printed = _plain(output)
    absent = []
    for piece in re.split(rf"(?m)^\s*{re.escape(OMITTED)}$", shown):
        words = _plain(piece)
        if not words:
            continue
        _, seen, after = printed.partition(words)
        if not seen:
            absent.append(words)
        else:
            printed = after
    return absent


def _plain(text: str) -> str:
    for pattern, stand_in in _VARIES:
        text = pattern.sub(stand_in, text)
    return " ".join(text.split())
