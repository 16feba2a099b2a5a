"""The sizes of packets, by those of their files alone: what is sparse has a size and takes no room."""

from pathlib import Path

from qxbatch.walk import walk


def largest_file(packet: Path) -> tuple[int, Path]:
    """Return size and path of the largest file of a packet; of those of one size, the last by name. Raises OSError."""
    if not packet.is_dir():
        return packet.stat().st_size, packet
    files = (Path(folder, name) for folder, _, names in walk(packet) for name in names)
    return max(((path.lstat().st_size, path) for path in files), default=(0, packet))
