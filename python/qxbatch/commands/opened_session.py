"""The session folder that `inspect --update` or `report` opens before it reads the session, and then writes to."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from qxbatch.publish.durable import replace_text
from qxbatch.publish.open_folders import OpenFolder, opened_folder, opened_in
from qxbatch.publish.plain_files import LinkError


class OtherFolderError(OSError):
    """The path of a session does not lead to the folder that was opened."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.ESTALE, "was moved or replaced while it was read; start the command again", str(path))


REFUSALS = (LinkError, OtherFolderError)
"""The errors of `OpenedSession.opened_for_writing` that are problems of one session: others can still be written."""


class OpenedSession(NamedTuple):
    """An opened session folder.

    Nothing is written to another session that gets the path of this one while it is read, or that a link leads to.
    """

    folder: OpenFolder

    @contextmanager
    def opened_for_writing(self, *names: str) -> Iterator[OpenFolder]:
        """Open a folder below the session for a `with` block that writes to it; it is created if it is missing.

        Raises LinkError if the path of the session leads to a link by now, or one of the folders is a link, OtherFolderError if
        that path leads to another folder, and OSError.
        """
        path = self.folder.path
        try:
            status = path.lstat()
        except FileNotFoundError:
            raise OtherFolderError(path) from None
        if stat.S_ISLNK(status.st_mode):
            raise LinkError(path)
        if not os.path.samestat(status, os.fstat(self.folder.descriptor)):
            raise OtherFolderError(path)
        with opened_in(self.folder, names, create=True) as folder:
            yield folder

    def replace_text(self, file: Path, text: str) -> None:
        """Write a text file, or replace one. `file` is relative to the session. Raises OSError as `opened_for_writing`."""
        with self.opened_for_writing(*file.parent.parts) as folder:
            replace_text(folder.descriptor_path / file.name, text)


@contextmanager
def opened_session(session: Path) -> Iterator[OpenedSession]:
    """Open a session folder for a `with` block. Raises OSError."""
    with opened_folder(session) as folder:
        yield OpenedSession(folder)
