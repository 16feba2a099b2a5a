"""Whether a packet is in the archive, or outside of the sessions folder."""

import os
from pathlib import Path

from qxbatch.publish.mounts import mount_above
from qxbatch.session.layout import REPLACED_FOLDER


def is_in_archive(packet: Path, archive: Path) -> bool:
    """Return whether a packet is below the folder of archived packets or of replaced files, or is one of these folders.

    Folders are compared by their inodes, so any path that leads to them counts. For a packet that is a link, the path of the link
    counts, not that of its target.
    """
    path = Path(os.path.realpath(packet.parent), packet.name)
    return any(_is_at_or_below(path, folder) for folder in (archive, archive.parent / REPLACED_FOLDER))


def is_outside(packet: Path, sessionsfolder: Path) -> bool:
    """Return whether a packet is outside of the sessions folder, or whether it or a folder between the two is a mount point."""
    return not packet.is_relative_to(sessionsfolder) or mount_above(packet, sessionsfolder) is not None


def _is_at_or_below(path: Path, folder: Path) -> bool:
    try:
        status = folder.stat()
    except OSError:
        return False
    return any(_is_same(each, status) for each in (path, *path.parents))


def _is_same(path: Path, status: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.lstat(), status)
    except OSError:
        return False
