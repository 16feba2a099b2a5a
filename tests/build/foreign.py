"""Archives that are recognised but not opened, with enough bytes to recognise them."""


def _disc(mark: bytes) -> bytes:
    return bytes(32768) + b"\x01" + mark + bytes(2000)


def _binary_cpio() -> bytes:
    head = bytearray(26)
    head[:2], head[6:8], head[20:22] = b"\xc7\x71", (0o100644).to_bytes(2, "little"), b"\x06\x00"
    return bytes(head) + b"a.dcm\x00" + bytes(100)


FOREIGN = {
    "rar4": ("rar", b"Rar!\x1a\x07\x00" + bytes(100)),
    "rar5": ("rar", b"Rar!\x1a\x07\x01\x00" + bytes(100)),
    "iso": ("iso", _disc(b"CD001")),
    "udf": ("iso", _disc(b"BEA01")),
    "newc": ("cpio", b"070701" + b"0" * 104 + b"TRAILER!!!\x00"),
    "odc": ("cpio", b"070707" + b"0" * 70 + b"TRAILER!!!\x00"),
    "bin": ("cpio", _binary_cpio()),
    "cab": ("cab", b"MSCF" + bytes(100)),
    "lha": ("lha", b"\x20\x00-lh5-" + bytes(100)),
    "arj": ("arj", b"\x60\xea\x2a\x00\x1e\x0b\x01\x02\x00\x00\x02" + bytes(100)),
    "dmg": ("dmg", bytes(4000) + b"koly\x00\x00\x00\x04\x00\x00\x02\x00" + bytes(500)),
    "z01": ("split", b"PK\x07\x08PK\x03\x04" + bytes(100)),
    "zip.002": ("split", bytes(range(256))),
    "7z.002": ("split", bytes(range(256))),
}
"""The kind in the core and the bytes, by format. Later parts (`.002`) are recognised by name."""
