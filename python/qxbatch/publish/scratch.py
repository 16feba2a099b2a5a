"""Scratch folders below --work-dir, which other studies and other programs may use too.

A folder is removed only if its name and a file in it identify the run that created it.
"""

import contextlib
import os
from pathlib import Path

from qxbatch.publish.durable import make_folder, remove_tree
from qxbatch.publish.plain import read_plain
from qxbatch.textfile import created

NOTE = "scratch.txt"
"""In staging: the path of the scratch folder."""
MARK = ".of-qxbatch"
"""In the scratch folder: the run that created it."""


def scratch_name(unit: str, run: str) -> str:
    """Return the name of a scratch folder below --work-dir."""
    return f"qxbatch-{unit}-{run}"


def make_scratch(scratch: Path, run: str) -> None:
    """Create a scratch folder that is marked as this run's."""
    make_folder(scratch.parent)
    scratch.mkdir()
    with created(scratch / MARK) as file:
        file.write(run)


def noted_scratch(staging: Path, unit: str, run: str) -> Path | None:
    """Return the scratch folder recorded in staging; None if there is none, or if the record is incomplete."""
    text = read_plain(staging / NOTE)
    if text is None:
        return None
    noted = Path(os.fsdecode(text))
    return noted if noted.is_absolute() and noted.name == scratch_name(unit, run) else None


def remove_scratch(scratch: Path, run: str) -> None:
    """Remove a scratch folder of that run; an unmarked one only if it is empty."""
    if not os.path.isdir(scratch) or scratch.is_symlink():  # noqa: PTH112 - Path.is_dir raises where it may not look
        return
    mark = scratch / MARK
    if read_plain(mark) == run.encode():
        for path in scratch.iterdir():
            if path != mark:
                remove_tree(path)
        mark.unlink(missing_ok=True)
    elif read_plain(mark) == b"":  # a run was killed before it wrote its name
        mark.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        scratch.rmdir()
