"""The report of `qxbatch split` about the folders that it wrote."""

import json
from collections.abc import Sequence
from pathlib import Path

from qxbatch.commands.split_plan import SplitFolder
from qxbatch.commands.split_result import MappingRow
from qxbatch.counted import counted
from qxbatch.visible import one_line


def print_split(
    source: Path,
    output: Path,
    folders: Sequence[SplitFolder],
    rows: Sequence[MappingRow],
    *,
    mapping: Path | None,
    as_json: bool,
) -> None:
    """Print the new folders, with `as_json` as JSON. `mapping` is the table of new paths; None when nothing was written."""
    counts = {folder.name: sum(1 for row in rows if row.folder == folder.name and row.at) for folder in folders}
    if as_json:
        records = [
            {
                "name": folder.name,
                "patient": folder.patient,
                "study": folder.study,
                "started": folder.started,
                "files": counts[folder.name],
            }
            for folder in folders
        ]
        report = {"source": str(source), "output": str(output), "parts": records, "mapping": mapping and str(mapping)}
        print(json.dumps(report, indent=1, ensure_ascii=False))
        return
    print(f"{one_line(str(source))}: {counted(len(folders), 'folder')} for {one_line(str(output))}")
    for folder in folders:
        facts = f"patient {one_line(folder.patient) or 'unknown'}, {folder.started[:8] or 'no date'}"
        print(f"  {folder.name}: {counted(counts[folder.name], 'file')} ({facts})")
    print("Nothing was written (--test)." if mapping is None else f"New paths of the members: {one_line(str(mapping))}")
