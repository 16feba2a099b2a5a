"""Folders that `qxbatch split` has not finished: it can write its folder among the packets."""

import os
from pathlib import Path

from qxbatch.discover.own_names import is_staging_name_of_split


def unfinished_split_reason(data: Path) -> str:
    """Return why a folder is no packet if it contains the staging folder of `qxbatch split`; else an empty text.

    Empty also for a file, and for a folder that cannot be listed.
    """
    try:
        is_unfinished = any(map(is_staging_name_of_split, os.listdir(data)))  # noqa: PTH208 - names, not paths
    except OSError:
        return ""
    return "`qxbatch split` is writing it, or was interrupted: wait for it, or run it again" if is_unfinished else ""
