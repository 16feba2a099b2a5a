"""The largest file of a packet, by size and not by disk usage: a sparse file has a size but uses no disk."""

from pathlib import Path

from qxbatch.walk import walk


def largest_file(packet: Path) -> tuple[int, Path]:
    """Return the size in bytes and the path of the largest file of a packet; of equal sizes, the last by path.

    For a folder without files, return 0 and the folder. Raises OSError.
    """
    if not packet.is_dir():
        return packet.stat().st_size, packet
    files = (Path(folder, name) for folder, _, names in walk(packet) for name in names)
    return max(((path.lstat().st_size, path) for path in files), default=(0, packet))
