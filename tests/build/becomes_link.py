"""Lets somebody else exchange a folder for a link while a function works."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


@contextlib.contextmanager
def becomes_link(folder: Path, target: Path, step: int) -> Iterator[list[Path]]:
    """Rename the folder, and make a link to `target` with its name, before the file operation of that number.

    If the folder does not exist then, it is exchanged before the first later operation at which it exists. Yields a list that
    contains the folder once it was exchanged.
    """
    remaining = step
    rename = os.rename
    exchanged: list[Path] = []

    def counted(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            nonlocal remaining
            remaining -= 1
            if remaining <= 0 and not exchanged and folder.is_dir():
                exchanged.append(folder)
                rename(folder, folder.with_name(f"{folder.name}-before"))
                folder.symlink_to(target)
            return original(*args, **options)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in ("open", "rename", "link", "mkdir", "rmdir", "unlink", "scandir"):
            patch.setattr(os, name, counted(getattr(os, name)))
        yield exchanged
