"""Replaces a file that qxbatch writes, and keeps a user's file that has its name."""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from qxbatch.publish.durable import NO_RUN, rename_new, replace_text
from qxbatch.textfile import read_bytes


def replace_own_text(path: Path, text: str, is_own: Callable[[bytes], bool], tag: str = NO_RUN) -> None:
    """Write a text as `replace_text`; first rename a file that a user wrote or changed to `<name>.<k>`, and print the new name.

    `is_own` returns whether qxbatch wrote the bytes of the file. They are read right before the file is replaced. Raises OSError.
    """
    replace_text(path, text, tag, before=partial(_keep_foreign, path, is_own))


def _keep_foreign(path: Path, is_own: Callable[[bytes], bool]) -> None:
    try:
        if is_own(read_bytes(path)):
            return
    except FileNotFoundError:
        return
    except OSError:
        if path.is_symlink() or not path.is_file():
            return  # a link or FIFO has no bytes to keep, and a folder cannot be replaced
        raise
    k = 1
    while os.path.lexists(new_path := path.with_name(f"{path.name}.{k}")):
        k += 1
    rename_new(path, new_path)
    print(f"{path} is not as qxbatch wrote it: it is now {new_path.name}.", file=sys.stderr)
