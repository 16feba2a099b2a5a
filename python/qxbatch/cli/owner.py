"""A hint when root works in somebody else's folder, as containers do that are started without a user."""

import os
from collections.abc import Iterator
from pathlib import Path

ALL_USERS = ["0", "0", "4294967295"]
"""The line of /proc/self/uid_map where root is the machine's root: no user namespace lies between."""


def owner_hint(folder: Path) -> str | None:
    """Return what to say when outputs below `folder` would be root's although it belongs to another user, else None."""
    if os.geteuid() != 0 or _root_is_somebody():
        return None
    return hint(folder, next(_existing(folder)))


def hint(folder: Path, place: Path) -> str | None:
    """Return the message for a folder that is `place`, which exists, or is below it."""
    found = place.stat()
    if found.st_uid == 0:
        return None
    who = f"{found.st_uid}:{found.st_gid}"
    return (
        f"What is written to {folder} will belong to root, but {place} belongs to user {found.st_uid}.\n"
        f"  To keep it with that user, start the container with --user {who}, or the program as that user."
    )


def _existing(folder: Path) -> Iterator[Path]:
    """Return the folder, or the nearest one above it that exists."""
    return (path for path in (folder, *folder.parents) if path.exists())


def _root_is_somebody() -> bool:
    """Whether root of this user namespace is an ordinary user outside: rootless Podman, Apptainer's fakeroot."""
    try:
        lines = Path("/proc/self/uid_map").read_text().splitlines()
    except OSError:
        return False
    return [line.split() for line in lines] != [ALL_USERS]
