"""The target of a packet that is a link, and the text of a link in another folder that leads to the same target."""

import os
from pathlib import Path


def absolute_target(link: Path) -> Path:
    """Return the target of a link as an absolute path. Raises OSError.

    An absolute target is returned unchanged. In a relative one, folders that are links are replaced by their targets, since `..`
    after such a folder means the parent of its target. The last name is not resolved: a link to a link leads to that link.
    """
    target = link.readlink()
    if target.is_absolute():
        return target
    return Path(os.path.realpath(os.path.realpath(link.parent) / target.parent), target.name)


def target_from(folder: Path, link: Path) -> Path:
    """Return the text of a link in `folder` that leads to the same target as `link`. Raises OSError.

    A relative target stays relative: a container may see the study under another path than other programs do.
    """
    target = absolute_target(link)
    if link.readlink().is_absolute():
        return target
    return Path(os.path.relpath(target, os.path.realpath(folder)))
