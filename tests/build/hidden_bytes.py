"""Archives with bytes that belong to no member, and sound archives in which every byte has a purpose."""

import bz2
import lzma
import random
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tests.build import sevenz as s7
from tests.build import zst

SECRET = random.Random(7).randbytes(240)
"""Bytes that are in no member."""
NOTE = b"notes of the scan\n" * 20
"""Content of the member with other packed data."""
SKIPPABLE = b"\x53\x2a\x4d\x18" + struct.pack("<I", len(SECRET)) + SECRET
"""A frame of zstd that decoders skip."""


class Member(NamedTuple):
    """A member of a zip with given packed bytes."""

    name: str
    method: int
    packed: bytes
    content: bytes
    flags: int = 0
    descriptor: str = ""
    """Format of the data descriptor, of which the mark can be the first field; empty without one."""
    extra: bytes = b""
    """Extra field of the local header only, as zipalign writes it."""
    mode: int = 0o100644
    """Unix mode."""

    def after(self) -> bytes:
        """Return the data descriptor (APPNOTE 4.3.9)."""
        values = (zlib.crc32(self.content), len(self.packed), len(self.content))
        mark = (b"PK\x07\x08",) if "s" in self.descriptor else ()
        return struct.pack(self.descriptor, *mark, *values) if self.descriptor else b""


def inflatable(data: bytes) -> bytes:
    """Return a raw deflate stream."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def deflated(tree: Mapping[str, bytes]) -> list[Member]:
    """Return members that are packed as usual."""
    return [Member(name, 8, inflatable(data), data) for name, data in tree.items()]


def zip_of(
    members: Sequence[Member],
    *,
    prefix: bytes = b"",
    before: Mapping[int, bytes] | None = None,
    after_members: bytes = b"",
    signature: bytes = b"",
    after_directory: bytes = b"",
    zip64: bool = False,
    reverse: bool = False,
) -> bytes:
    """Return a zip whose offsets count from the start of the file, as those of Python's append mode do.

    `before` has bytes before the member of an index; `reverse` lists the members in reverse order.
    """
    out, records = bytearray(prefix), []
    for k, each in enumerate(members):
        out += (before or {}).get(k, b"")
        name, at = each.name.encode(), len(out)
        sizes = (zlib.crc32(each.content), len(each.packed), len(each.content))
        fields = (20, each.flags, each.method, 0, 0x21)
        local_sizes = (0, 0, 0) if each.flags & 8 else sizes
        local = struct.pack("<4s5H3I2H", b"PK\x03\x04", *fields, *local_sizes, len(name), len(each.extra))
        out += local + name + each.extra + each.packed + each.after()
        lengths = (len(name), 0, 0, 0, 0, each.mode << 16, at)
        records.append(struct.pack("<4sH5H3I5H2I", b"PK\x01\x02", 0x314, *fields, *sizes, *lengths) + name)
    out += after_members
    at, count = len(out), len(records)
    directory = b"".join(reversed(records) if reverse else records) + signature
    out += directory + after_directory
    if zip64:
        end = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, len(directory), at)
        out += end + struct.pack("<4sIQI", b"PK\x06\x07", 0, len(out), 1)
    return bytes(out + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, len(directory), at, 0))


def listed(method: int, packed: bytes) -> Member:
    """Return a member whose content is `NOTE`."""
    return Member("notes.txt", method, packed, NOTE)


def hidden_in_zip(tree: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return zips of this tree with SECRET in a place that no member covers."""
    plain = deflated(tree)
    whole = zip_of(deflated({"hidden": SECRET}))
    unlisted = whole[: whole.index(b"PK\x01\x02")]
    tails = [each._replace(packed=each.packed + SECRET) for each in plain]
    # The CRC and the size of the content, as after a gzip stream.
    footer = struct.pack("<II", zlib.crc32(NOTE), len(NOTE))
    folder = Member("T1/", 8, inflatable(b"") + SECRET, b"", mode=0o040755)
    no_descriptor = plain[0]._replace(flags=8, extra=b"")
    packed = {
        "behind deflate": listed(8, inflatable(NOTE) + SECRET),
        "behind deflate and its checksum": listed(8, inflatable(NOTE) + footer + SECRET + footer),
        "behind bzip2": listed(12, bz2.compress(NOTE) + SECRET),
        "second bzip2 stream": listed(12, bz2.compress(NOTE) + bz2.compress(SECRET)),
        "behind xz": listed(95, lzma.compress(NOTE) + SECRET),
        "second xz stream": listed(95, lzma.compress(NOTE) + lzma.compress(SECRET)),
        "frame before zstd": listed(93, SKIPPABLE + zst.compress(NOTE)),
        "frame behind zstd": listed(93, zst.compress(NOTE) + SKIPPABLE),
        "behind a folder": folder,
        "stored folder": folder._replace(method=0, packed=SECRET),
    }
    return {
        "before the first member": zip_of(plain, prefix=b"MZ" + SECRET),
        "between members": zip_of(plain, before={1: SECRET}),
        "instead of a descriptor": zip_of([no_descriptor, *plain[1:]], before={1: SECRET[:16]}),
        "before the directory": zip_of(plain, after_members=SECRET),
        "after the directory": zip_of(plain, after_directory=SECRET),
        "behind a signature": zip_of(plain, signature=b"PK\x05\x05\x02\x00ab" + SECRET),
        "around zip64": zip_of(plain, after_directory=SECRET, zip64=True),
        "unlisted member": zip_of(plain, before={1: unlisted}),
        "unlisted member behind a byte": zip_of(plain, before={1: b"\0" + unlisted}),
        "behind images": zip_of(tails),
        **{place: zip_of([*plain, member]) for place, member in packed.items()},
    }


def sound_zips(tree: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return zips of this tree as usual programs write them."""
    plain = deflated(tree)
    forms = {"12": "<III", "16": "<4sIII", "20": "<IQQ", "24": "<4sIQQ"}
    streamed = {form: [each._replace(flags=8, descriptor=text) for each in plain] for form, text in forms.items()}
    padded = [each._replace(extra=bytes(k + 1)) for k, each in enumerate(plain)]
    folder = Member("T1/", 0, b"", b"", mode=0o040755)
    java_folder = Member("T1/", 8, inflatable(b""), b"", flags=8, descriptor="<4sIII", mode=0o040755)
    empty = Member("empty", 8, inflatable(b""), b"")
    two_frames = zst.compress(NOTE[:100]) + zst.compress(NOTE[100:])
    return {
        "plain": zip_of([folder, *plain, empty]),
        "folder of Java": zip_of([java_folder, *plain]),
        **{f"descriptor of {form} bytes": zip_of(members) for form, members in streamed.items()},
        "zipalign": zip_of(padded),
        "one disk": zip_of(plain, prefix=b"PK00"),
        "one disk, other mark": zip_of(plain, prefix=b"PK\x07\x08"),
        "other order": zip_of(plain, reverse=True),
        "signature": zip_of(plain, signature=b"PK\x05\x05\x02\x00ab"),
        "signature beside": zip_of(plain, after_directory=b"PK\x05\x05\x02\x00ab"),
        "zip64": zip_of(plain, zip64=True),
        "bzip2": zip_of([*plain, listed(12, bz2.compress(NOTE))]),
        "xz": zip_of([*plain, listed(95, lzma.compress(NOTE))]),
        "zstd": zip_of([*plain, listed(93, zst.compress(NOTE))]),
        "two zstd frames": zip_of([*plain, listed(93, two_frames)]),
    }


def hidden_in_sevenz(tree: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return 7z archives of this tree with SECRET in a place that no member covers."""
    stored, packed = _parts(s7.sevenz(tree, s7.Method.COPY)), _parts(s7.sevenz(tree, s7.Method.LZMA2))
    start = stored[1].index(b"\x01\x04\x06\x00")
    moved = stored[1][: start + 3] + b"\xff" + len(SECRET).to_bytes(8, "little") + stored[1][start + 4 :]
    two = _parts(s7.sevenz({**tree, "second": SECRET}, s7.Method.COPY, solid=False))
    return {
        "before the header": _joined(stored[0] + SECRET, stored[1]),
        "before the streams": _joined(SECRET + stored[0], moved),
        "behind a stored stream": _joined(stored[0] + SECRET, _longer(*stored)),
        "behind an LZMA2 stream": _joined(packed[0] + SECRET, _longer(*packed)),
        "after the header": _joined(*two) + SECRET,
        "behind the end of the header": _joined(stored[0], stored[1] + SECRET),
        "behind the end of a packed header": _packed_header(stored[0], stored[1] + SECRET),
        "behind the end of the description of a packed header": _packed_header(*stored, SECRET),
    }


def sevenz_with_packed_header(tree: Mapping[str, bytes]) -> bytes:
    """Return a 7z with a packed header."""
    return _packed_header(*_parts(s7.sevenz(tree, s7.Method.COPY)))


class Coder(NamedTuple):
    """A coder of a block of 7z with one input: its id with flags, its packed bytes, and the length of its output."""

    id: bytes
    packed: bytes
    size: int


COPY, DEFLATE, DELTA = b"\x01\x00", b"\x03\x04\x01\x08", b"\x21\x03\x01\x00"
BCJ2 = b"\x14\x03\x03\x01\x1b\x04\x01"


def behind_bcj2(content: bytes, call: Coder, *, main: bytes = b"", decisions: bytes = b"") -> bytes:
    """Return a 7z of one member without branches, whose stream of calls comes from a coder.

    `main` and `decisions` follow the streams that need no coder.
    """
    packed = [content + main, call.packed, b"", bytes(5) + decisions]
    # The coders; then the bond of input 1 (calls) and coder 1, and the inputs of the packed streams.
    coders = s7._number(2) + BCJ2 + call.id + bytes([1, 1, 0, 4, 2, 3])
    return _one_block(content, packed, coders, [len(content), call.size])


def _one_block(content: bytes, packed: Sequence[bytes], coders: bytes, sizes: Sequence[int]) -> bytes:
    """Return a 7z of one block and one member, whose last coder is the first one."""
    number = s7._number
    streams = b"\x06\x00" + number(len(packed)) + b"\x09" + b"".join(number(len(each)) for each in packed) + b"\x00"
    unpack = b"\x07\x0b\x01\x00" + coders + b"\x0c" + b"".join(map(number, sizes)) + b"\x00"
    crc = b"\x08\x0a\x01" + zlib.crc32(content).to_bytes(4, "little") + b"\x00"
    header = b"\x01\x04" + streams + unpack + crc + b"\x00" + s7._files(["T1/a.dcm"], 1, 0, None) + b"\x00"
    return _joined(b"".join(packed), header)


def hidden_in_coders(content: bytes) -> dict[str, bytes]:
    """Return 7z archives of this content, which has no branches, with SECRET in what a coder does not use."""
    none, few = s7._packed(b"", s7.Method.LZMA2), s7._packed(b"y" * 8, s7.Method.LZMA2)
    lzma2 = s7.Method.LZMA2.value
    calls = {
        "without output": Coder(COPY, SECRET, 0),
        "of one byte": Coder(COPY, b"x" + SECRET, 1),
        "LZMA2 without output": Coder(lzma2, none + SECRET, 0),
        "LZMA2 of 8 bytes": Coder(lzma2, few + SECRET, 8),
        "deflate without output": Coder(DEFLATE, inflatable(b"") + SECRET, 0),
        "deflate that continues": Coder(DEFLATE, inflatable(b"y" * 8 + SECRET), 8),
        "delta of 8 bytes": Coder(DELTA, b"y" * 8 + SECRET, 8),
        "cut LZMA2": Coder(lzma2, SECRET, 8),
    }
    chain = s7._number(2) + COPY + COPY + bytes([0, 1])
    none_used = Coder(COPY, b"", 0)
    return {
        **{f"calls, {name}": behind_bcj2(content, coder) for name, coder in calls.items()},
        "behind the main stream": behind_bcj2(content, none_used, main=SECRET),
        "behind the decisions": behind_bcj2(content, none_used, decisions=SECRET),
        "in a chain": _one_block(content, [content + SECRET], chain, [len(content)] * 2),
    }


def _parts(data: bytes) -> tuple[bytes, bytes]:
    """Return the packed streams and the header."""
    offset = int.from_bytes(data[12:20], "little")
    return data[32 : 32 + offset], data[32 + offset :]


def _longer(streams: bytes, header: bytes) -> bytes:
    """Return the header with a longer packed stream."""
    size = b"\x09\xff"
    assert header.count(size + len(streams).to_bytes(8, "little")) >= 1
    new = (len(streams) + len(SECRET)).to_bytes(8, "little")
    return header.replace(size + len(streams).to_bytes(8, "little"), size + new, 1)


def _packed_header(streams: bytes, header: bytes, behind: bytes = b"") -> bytes:
    """Return an archive whose header is packed; `behind` follows the end of the description of its packed data."""
    packed = s7._packed(header, s7.Method.LZMA2)
    info = s7._streams([packed], [[len(header)]], [zlib.crc32(header)], s7.Method.LZMA2.value)
    position = b"\x17\x06" + s7._number(len(streams))
    return _joined(streams + packed, position + info[2:] + b"\x00" + behind)


def _joined(streams: bytes, header: bytes) -> bytes:
    start = len(streams).to_bytes(8, "little") + len(header).to_bytes(8, "little") + bytes(4)
    return s7.resummed(b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(4) + start + streams + header)
