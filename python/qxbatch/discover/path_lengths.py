"""The longest path that a packet may contain: while it is archived, the packet has a longer name."""

import os
from pathlib import Path

from qxbatch.discover.own_names import HiddenKind, hidden_name
from qxbatch.settings.model import Archive, Settings

MAX_PATH_BYTES = 4095
"""Bytes of a path that the kernel accepts."""
_TAG = "0" * 16
"""A tag for hidden names; all tags have the same length."""


def max_path_bytes(packet: Path, settings: Settings) -> int:
    """Return how many bytes the path of a packet, or of an entry in it, may have, so that the kernel also accepts its hidden path.

    A packet gets a hidden name in its folder, and a copy gets one in the archive.
    """
    if settings.archive is Archive.LEAVE:
        return MAX_PATH_BYTES
    hidden = [packet.with_name(hidden_name(HiddenKind.ASIDE, _TAG, packet.name))]
    if settings.masterinbox is not None:
        hidden.append(settings.archive_folder / hidden_name(HiddenKind.COPY, _TAG, packet.name))
    longest = max(len(os.fsencode(path)) for path in hidden)
    return MAX_PATH_BYTES - max(longest - len(os.fsencode(packet)), 0)
