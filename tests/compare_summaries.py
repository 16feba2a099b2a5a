"""Compare an old summary.json with a new one of the same packets: compare_summaries OLD NEW

Each argument is a summary.json, or a folder with sessions. Every field of the old summary must be in the new one with the
same value, except `schema`, `qxbatch`, `times` and `host`. A series may also have `verdict` and `acquisition`.

Exit status: 0 the same, 1 different, 64 wrong usage.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qxbatch.session.layout import SUMMARY_AT

CHANGING = ("schema", "qxbatch", "times", "host")
ADDED = re.compile(r"series\[\d+\]\.(verdict|acquisition)")


class Absent:
    """Placeholder for a field that one side does not have."""


def differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Yield a line for each field that differs: its path, the old value, the new value."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            inner = f"{path}.{key}" if path else key
            skipped = inner in CHANGING or (key not in old and ADDED.fullmatch(inner))
            yield from () if skipped else differences(old.get(key, Absent), new.get(key, Absent), inner)
    elif isinstance(old, list) and isinstance(new, list):
        for k in range(max(len(old), len(new))):
            old_item, new_item = (items[k] if k < len(items) else Absent for items in (old, new))
            yield from differences(old_item, new_item, f"{path}[{k}]")
    elif old != new or type(old) is not type(new):
        yield f"{path}: {formatted(old)} | {formatted(new)}"


def formatted(value: object) -> str:
    """Return a value as text."""
    return "(absent)" if value is Absent else json.dumps(value, ensure_ascii=False)


def summaries(path: Path) -> dict[str, Path]:
    """Return the summaries of a sessions folder by session id; a single file has an empty id."""
    if path.is_file():
        return {"": path}
    return {summary.parent.parent.name: summary for summary in sorted(path.glob(f"*/{SUMMARY_AT}"))}


def compare(old: Path, new: Path) -> Iterator[str]:
    """Yield the differences of all summaries at two paths."""
    before, after = summaries(old), summaries(new)
    for session in sorted({*before, *after}):
        if session not in after or session not in before:
            yield f"{session}: only in {old if session in before else new}"
            continue
        old_summary, new_summary = (json.loads(paths[session].read_bytes()) for paths in (before, after))
        yield from (f"{session}: {line}".removeprefix(": ") for line in differences(old_summary, new_summary))


def main(argv: list[str]) -> int:
    """Compare the two paths of the command line; return the exit status."""
    if len(argv) != 2 or not all(Path(name).exists() and summaries(Path(name)) for name in argv):
        print("usage: compare_summaries OLD NEW (two files, or two folders of sessions)", file=sys.stderr)
        return 64
    lines = list(compare(*map(Path, argv)))
    print("\n".join(lines), end="\n" * bool(lines))
    return int(bool(lines))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
