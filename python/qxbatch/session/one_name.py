"""Names that a file system takes for one: where it ignores case, `AP1` and `ap1` are one session folder."""

import os
import unicodedata
from collections.abc import Container
from pathlib import Path


def other_name(folder: Path, names: Container[str] | None = None) -> str:
    """Return the name of the existing folder that the file system takes this one for; empty where there is none.

    `names` are those in the folder above, where they are known. Raises OSError.
    """
    if not os.path.lexists(folder):
        return ""
    present = os.listdir(folder.parent)  # noqa: PTH208 - names, not paths
    if folder.name in (present if names is None else names):
        return ""
    return next((name for name in present if folded(name) == folded(folder.name)), "another name")


def folded(name: str) -> str:
    """Return what is equal for two names that a file system without case takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def ignores_case(folder: Path) -> bool:
    """Return whether two names that differ by case are one in a folder; also where nothing there can show it.

    Only names that exist are looked at; nothing is written. Raises OSError.
    """
    while True:
        there = folder.exists()
        for name in sorted(os.listdir(folder)) if there else ():  # noqa: PTH208 - names, not paths
            if name.swapcase().swapcase() == name != name.swapcase():
                return other_name(folder / name.swapcase()) != ""
        if folder == folder.parent or (there and folder.stat().st_dev != folder.parent.stat().st_dev):
            return True
        folder = folder.parent
