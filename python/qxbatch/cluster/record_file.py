"""The file of a submission's record. Its options select folders and programs, so nobody but its owner may write it."""

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from qxbatch.publish.plain_files import MOST_BYTES_IN_MEMORY, open_plain, parse_json_object

RECORD_NAME = "submission.json"
FILE_MODE = 0o644
"""Permissions of the files of a submission that select what its jobs do: only their owner may write them, whatever the umask."""
_OTHERS = stat.S_IWGRP | stat.S_IWOTH
"""Permissions of users besides the owner to write a file."""


class RecordFile(NamedTuple):
    """The content of the file, and who can have written it."""

    path: Path
    value: Mapping[str, Any]
    digest: str
    """SHA-256 of its bytes."""
    owner_id: int
    """User id of its owner."""
    mode: int

    @property
    def is_own(self) -> bool:
        """Return whether this user owns it."""
        return self.owner_id == os.geteuid()

    @property
    def is_writable_by_others(self) -> bool:
        """Return whether users besides its owner can have changed it. A network drive may show this for every file."""
        return bool(self.mode & _OTHERS)


def read_record(path: Path) -> RecordFile:
    """Return the record in a file. Raises OSError, ValueError."""
    file = open_plain(path)
    if file is None:
        raise ValueError(f"{path.name} is missing, or is not a regular file")
    with file:
        status = os.fstat(file.fileno())
        text = file.read(MOST_BYTES_IN_MEMORY)
    try:
        value = parse_json_object(text)
    except ValueError as error:
        raise ValueError(f"{path.name} {error}") from None
    return RecordFile(path, value, hashlib.sha256(text).hexdigest(), status.st_uid, status.st_mode)
