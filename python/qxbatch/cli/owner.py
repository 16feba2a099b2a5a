"""A hint when root writes into another user's folder, as in a container started without a user."""

import os
from collections.abc import Iterator
from pathlib import Path

ALL_USERS = ["0", "0", "4294967295"]
"""The line of /proc/self/uid_map if root is the machine's root: there is no user namespace."""


def owner_hint(folder: Path) -> str | None:
    """Return a warning if outputs below `folder` would belong to root although the folder belongs to another user, else None."""
    if os.geteuid() != 0 or _root_is_somebody():
        return None
    return hint(folder, next(_existing(folder)))


def hint(folder: Path, existing: Path) -> str | None:
    """Return the message for a folder that is, or is below, an existing one of another user; None if that is root's."""
    status = existing.stat()
    if status.st_uid == 0:
        return None
    who = f"{status.st_uid}:{status.st_gid}"
    return (
        f"What is written to {folder} will belong to root, but {existing} belongs to user {status.st_uid}.\n"
        f"  To keep it with that user, start the container with --user {who}, or the program as that user."
    )


def _existing(folder: Path) -> Iterator[Path]:
    """Return the folder and those above it, without those that do not exist."""
    return (path for path in (folder, *folder.parents) if path.exists())


def _root_is_somebody() -> bool:
    """Return whether root of this user namespace is an ordinary user outside: rootless Podman, Apptainer's fakeroot."""
    try:
        lines = Path("/proc/self/uid_map").read_text().splitlines()
    except OSError:
        return False
    return [line.split() for line in lines] != [ALL_USERS]
