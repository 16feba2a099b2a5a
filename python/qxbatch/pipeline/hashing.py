"""The SHA-256 of packets that are files, computed during the conversion, which leaves CPUs idle."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path

from qxbatch.core import hash_file
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.model import Packet
from qxbatch.pipeline.context import Context


def start_hashing(context: Context, packets: Iterable[Packet]) -> Mapping[Path, Future[str]]:
    """Start to hash the packets that are files; return futures of the hashes, by path (see `_hash`)."""
    files = (packet for packet in packets if packet.path.is_file())
    return {packet.path: context.executor.submit(_hash, context, packet) for packet in files}


def _hash(context: Context, packet: Packet) -> str:
    """Return the hash; empty if the packet changed since its discovery or cannot be read (archiving then reports that).

    Raises CancelledError.
    """
    with context.slots.acquire():
        try:
            digest = hash_file(str(packet.path), monitor=context.monitor)[1]
            return digest if fingerprint(packet.path) == packet.fingerprint else ""
        except OSError:
            return ""
