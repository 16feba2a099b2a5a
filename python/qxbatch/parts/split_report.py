"""What `qxbatch split` prints of the parts that it made."""

import json
from collections.abc import Sequence
from pathlib import Path

from qxbatch.counted import counted
from qxbatch.parts.split_plan import Piece
from qxbatch.parts.split_result import Member
from qxbatch.visible import one_line


def print_split(
    source: Path,
    output: Path,
    pieces: Sequence[Piece],
    members: Sequence[Member],
    *,
    mapping: Path | None,
    as_json: bool,
) -> None:
    """Print what each part is; as JSON where `as_json`. `mapping` is None when nothing was written."""
    counts = {piece.name: sum(1 for member in members if member.part == piece.name and member.at) for piece in pieces}
    if as_json:
        parts = [
            {"name": p.name, "patient": p.patient, "study": p.study, "started": p.started, "files": counts[p.name]}
            for p in pieces
        ]
        shown = {"source": str(source), "output": str(output), "parts": parts, "mapping": mapping and str(mapping)}
        print(json.dumps(shown, indent=1, ensure_ascii=False))
        return
    print(f"{one_line(str(source))}: {len(pieces)} part{'s' * (len(pieces) != 1)} for {one_line(str(output))}")
    for piece in pieces:
        facts = f"patient {one_line(piece.patient) or 'unknown'}, {piece.started[:8] or 'no date'}"
        print(f"  {piece.name}: {counted(counts[piece.name], 'file')} ({facts})")
    print("Nothing was written (--test)." if mapping is None else f"What went where: {one_line(str(mapping))}")
