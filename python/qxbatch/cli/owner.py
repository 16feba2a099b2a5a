"""A warning when root writes into another user's folder, as in a container started without a user."""

import os
from collections.abc import Iterator
from pathlib import Path

_IDENTITY_MAP = ["0", "0", "4294967295"]
"""The fields of the only line of /proc/self/uid_map if there is no user namespace: root is the machine's root."""


def owner_warning(folder: Path) -> str | None:
    """Return a warning if outputs below `folder` would belong to root in a folder of another user, else None.

    If the folder does not exist, the owner of the nearest existing folder above it counts.
    """
    if os.geteuid() != 0 or _in_user_namespace():
        return None
    return warning_about(folder, next(_existing_folders(folder)))


def warning_about(folder: Path, existing: Path) -> str | None:
    """Return the warning about a folder; None if `existing`, the folder itself or the nearest one above it, belongs to root."""
    status = existing.stat()
    if status.st_uid == 0:
        return None
    who = f"{status.st_uid}:{status.st_gid}"
    return (
        f"What is written to {folder} will belong to root, but {existing} belongs to user {status.st_uid}.\n"
        f"  To keep it with that user, start the container with --user {who}, or the program as that user."
    )


def _existing_folders(folder: Path) -> Iterator[Path]:
    """Return the existing ones among a folder and the folders above it, the folder itself first."""
    return (path for path in (folder, *folder.parents) if path.exists())


def _in_user_namespace() -> bool:
    """Return whether root is an ordinary user outside of the container: rootless Podman, fakeroot of Apptainer.

    False if that is unknown.
    """
    try:
        lines = Path("/proc/self/uid_map").read_text().splitlines()
    except OSError:
        return False
    return [line.split() for line in lines] != [_IDENTITY_MAP]
