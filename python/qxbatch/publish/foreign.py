"""Keeps a file of a user that has the name of a file that qxbatch is about to write."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from qxbatch.publish.durable import rename_new
from qxbatch.textfile import read_bytes


def keep_foreign(path: Path, is_own: Callable[[bytes], bool]) -> None:
    """Rename a file that a user wrote or changed to `<name>.<k>`, and print the new name. Raises OSError.

    `is_own` returns whether qxbatch wrote these bytes.
    """
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
