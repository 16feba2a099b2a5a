"""The path and the file system of a sessions folder: they show whether a study is a copy of the one in which a run was killed.

The inode is not enough, since a copy of a study can have the inode of the original. The root folders of file systems of one kind
have the same inode, and so have the folders of a snapshot or of a disk image.
"""

import os
from pathlib import Path
from typing import NamedTuple


class FolderIdentity(NamedTuple):
    """The path and the file system of a sessions folder, as a run sees them."""

    folder: str
    """Its path, which can differ in a container and on other hosts."""
    file_system: str
    """The id of its file system, in hexadecimal digits. It can be another one after the host was started again."""

    @staticmethod
    def of(sessionsfolder: Path) -> "FolderIdentity":
        """Return the identity of a sessions folder. Raises OSError."""
        return FolderIdentity(os.path.realpath(sessionsfolder), f"{os.statvfs(sessionsfolder).f_fsid:x}")

    @staticmethod
    def of_record(value: object) -> "FolderIdentity | None":
        """Return the identity that a JSON value records; None if it records none, as in journals of qxbatch versions without it."""
        if (
            isinstance(value, list)
            and len(value) == len(FolderIdentity._fields)
            and all(isinstance(v, str) for v in value)
        ):
            return FolderIdentity(*value)
        return None

    def is_other_folder(self, other: "FolderIdentity") -> bool:
        """Return whether the two identities cannot be those of one folder: both path and file system differ.

        If only one of them differs, it may be one folder: a container can have the folder at another path, and some file systems
        get another id when the host is started again.
        """
        return self.folder != other.folder and self.file_system != other.file_system
