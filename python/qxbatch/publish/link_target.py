"""Where a packet that is a link leads, and the link that leads there from another folder."""

import os
from pathlib import Path


def absolute_target(link: Path) -> Path:
    """Return the target of a link as an absolute path, which leads to the same file from any folder.

    An absolute target is returned as it is. In a relative one, folders that are links are followed, since `..` after one of them
    means the parent of its target. The last name is not followed: a link to a link leads to that link. Raises OSError.
    """
    target = link.readlink()
    if target.is_absolute():
        return target
    return Path(os.path.realpath(os.path.realpath(link.parent) / target.parent), target.name)


def target_from(folder: Path, link: Path) -> Path:
    """Return the target for a link in the folder that leads where `link` leads. Raises OSError.

    A relative target stays relative: a container may see the study under another path than other programs do.
    """
    target = absolute_target(link)
    if link.readlink().is_absolute():
        return target
    return Path(os.path.relpath(target, os.path.realpath(folder)))
