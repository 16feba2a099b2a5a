"""The SHA-256 of packets that are files, computed beside the conversion, which leaves CPUs idle."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path

from qxbatch.core import hash_file
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.model import Packet
from qxbatch.pipeline.context import Context


def start_hashing(context: Context, packets: Iterable[Packet]) -> Mapping[Path, Future[str]]:
    """Begin to hash the packets that are files; each has been read, and is looked at again once it is hashed."""
    files = (packet for packet in packets if packet.path.is_file())
    return {packet.path: context.working.submit(_hash, context, packet) for packet in files}


def _hash(context: Context, packet: Packet) -> str:
    """Return the hash; empty where the packet is no longer what was read, which is found when it is archived.

    Raises CancelledError.
    """
    with context.slots.acquire():
        try:
            found = hash_file(str(packet.path), monitor=context.monitor)[1]
            return found if fingerprint(packet.path) == packet.fingerprint else ""
        except OSError:
            return ""
