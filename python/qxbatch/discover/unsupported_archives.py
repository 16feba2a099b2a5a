"""Unsupported kinds of archives: their names, and how to unpack them."""

import os
from collections.abc import Collection
from itertools import count
from pathlib import Path, PurePath
from typing import NamedTuple

from qxbatch.visible import shell_word


class UnopenedKind(NamedTuple):
    """An unsupported kind of archive."""

    title: str
    """Its name in messages, with an article."""
    command: str
    """The command that unpacks it into an empty folder; `{0}` is the archive, `{1}` the folder."""


_SEVEN_ZIP = "7z x -o{1} {0}"
UNOPENED = {
    "rar": UnopenedKind("a RAR archive", "unrar x {0} {1}/"),
    "iso": UnopenedKind("an image of a disc (ISO)", _SEVEN_ZIP),
    "cpio": UnopenedKind("a cpio archive", "cpio -id --no-absolute-filenames -D {1} < {0}"),
    "cab": UnopenedKind("a cabinet archive (CAB)", _SEVEN_ZIP),
    "lha": UnopenedKind("an LHA archive", _SEVEN_ZIP),
    "arj": UnopenedKind("an ARJ archive", _SEVEN_ZIP),
    "dmg": UnopenedKind("a disk image of macOS (DMG)", _SEVEN_ZIP),
    "split": UnopenedKind("one part of a split archive", _SEVEN_ZIP),
}
"""Unsupported kinds of archives by their names in `core.sniff`."""
SPLIT_HINT = (
    "Move all its parts out of the inbox, unpack them there (`7z x` on the first part; where there is a .z01, on the .zip), "
    "and put the resulting folder into the inbox."
)
"""The hint for one part of a split archive."""


NAME_IN_USE_HINT = (
    "Unpack it outside of the inbox, and put the folder into the inbox with a name that is not in use there."
)
"""The hint for an archive if the name of the folder to unpack it into is in use."""


def unpacked_name(path: PurePath) -> str:
    """Return the name of the folder to unpack an archive into."""
    return path.stem if path.suffix else f"{path.name}.folder"


def unused_unpacked_name(path: Path, used: Collection[str]) -> str:
    """Return the name of the folder to unpack an archive into; with a number if it exists, or is in `used`."""
    name = unpacked_name(path)
    numbered = (name if k == 1 else f"{name}-{k}" for k in count(1))
    return next(unused for unused in numbered if unused not in used and not os.path.lexists(path.with_name(unused)))


def unpack_command(kind: str, path: PurePath, name: str, archive_folder: PurePath) -> str:
    """Return the command that unpacks an archive into a new folder beside it, and moves the archive to `archive_folder`.

    `name` is that of the new folder. If it exists by then, nothing is unpacked.
    """
    file, folder = shell_word(str(path)), shell_word(str(path.with_name(name)))
    move = f"mkdir -p {shell_word(str(archive_folder))} && mv -n -- {file} {shell_word(f'{archive_folder}/')}"
    return f"mkdir {folder} && {UNOPENED[kind].command.format(file, folder)} && {move}"
