"""Names that a file system treats as equal: if it ignores case, `AP1` and `ap1` are the same session folder."""

import os
import unicodedata
from collections.abc import Container
from pathlib import Path


def other_stored_name(folder: Path, names: Container[str] | None = None) -> str:
    """Return the name under which the file system stores a folder; empty if it is `folder.name`, or if there is no such folder.

    A name that is returned differs from `folder.name` by case, or by the form of its Unicode characters. If the stored name is not
    found, return the words `another name`.

    `names` are those in the parent folder, if they are known: then the parent is listed only if `folder.name` is not one of them.
    Raises OSError.
    """
    if not os.path.lexists(folder) or (names is not None and folder.name in names):
        return ""
    present = os.listdir(folder.parent)  # noqa: PTH208 - names, not paths
    if folder.name in present:
        return ""
    return next((name for name in present if folded_name(name) == folded_name(folder.name)), "another name")


def folded_name(name: str) -> str:
    """Return a key that is equal for two names that a file system without case treats as equal."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def ignores_case(folder: Path) -> bool:
    """Return whether a folder treats names that differ by case as equal.

    Nothing is written: an existing name with letters, in it or in a folder above it on the same file system, shows this. Return
    True if there is no such name. Raises OSError.
    """
    while True:
        exists = folder.exists()
        for name in sorted(os.listdir(folder)) if exists else ():  # noqa: PTH208 - names, not paths
            if name.swapcase().swapcase() == name != name.swapcase():
                return other_stored_name(folder / name.swapcase()) != ""
        if folder == folder.parent or (exists and folder.stat().st_dev != folder.parent.stat().st_dev):
            return True
        folder = folder.parent
