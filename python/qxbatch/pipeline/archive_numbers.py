"""Folder mode (`--masterinbox=none`): chooses, before the import, the numbers of archives with the same name.

The number decides the name that the archive gets in the archive folder (qxbatch.archive.numbers). A signal stops the choice, since
large archives may be read for it.
"""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from qxbatch.archive.content_keys import archive_keys
from qxbatch.archive.numbers import Numbers, archives_in
from qxbatch.archive.stored_numbers import choose_and_store_numbers
from qxbatch.core import Monitor
from qxbatch.pipeline.waiting import in_thread
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.model import Archive, Settings

ANNOUNCED_BYTES = 10**9
"""Before more bytes than this are read, a message is printed: reading them takes some seconds from a fast disk."""


def store_archive_numbers(
    inboxes: Sequence[Path], settings: Settings, workspace: Workspace, locks: Locks, monitor: Monitor
) -> Numbers:
    """Choose and store the numbers of the archives in these inboxes whose names are not unique; return them by path.

    Does nothing with --archive=leave. Raises OSError if the numbers cannot be stored or stored ones cannot be read, and
    KeyboardInterrupt if the run is stopped.
    """
    if not inboxes or settings.archive is Archive.LEAVE:
        return {}
    paths = archives_in(inboxes)
    announce = partial(_announce, quiet=settings.quiet)
    keys = in_thread(lambda: archive_keys(paths, monitor, announce), monitor.cancel)
    return choose_and_store_numbers(keys, settings, workspace, locks)


def _announce(size: int, *, quiet: bool) -> None:
    if size > ANNOUNCED_BYTES and not quiet:
        print(
            f"Archives with the same name and size are compared: {size / 1e9:.1f} GB are read.",
            file=sys.stderr,
            flush=True,
        )
