"""Zip packets with encrypted members, traditional or AES."""

import hashlib
import hmac
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from tests.build.aes import counter_mode
from tests.build.packets import Tree

TIME = 0x5260
DATE = 0x582F
STORED, DEFLATED = 0, 8


@dataclass(frozen=True)
class Traditional:
    """APPNOTE 6.1. With `later` the CRC follows the data, and the check byte is that of the time."""

    later: bool = False
    flags: int = 0
    """More bits of the general purpose flags."""


@dataclass(frozen=True)
class Aes:
    """WinZip's AE-1 or AE-2 (`version`), with a key of 128, 192 or 256 bits (`strength` 1 to 3)."""

    version: int = 2
    strength: int = 3


Cipher = Traditional | Aes | None
CIPHERS: Mapping[str, Cipher] = {
    "traditional": Traditional(),
    "traditional-later": Traditional(later=True),
    **{f"ae{version}-{64 * strength + 64}": Aes(version, strength) for version in (1, 2) for strength in (1, 2, 3)},
}


@dataclass(frozen=True)
class Member:
    """One member; `cipher` None leaves it unencrypted."""

    name: str
    data: bytes
    cipher: Cipher = Traditional()
    password: bytes = b"secret"
    method: int = STORED


def encrypted(tree: Tree, password: bytes = b"secret", cipher: Cipher = Traditional(), method: int = STORED) -> bytes:
    """Return a zip with all members encrypted by the same cipher."""
    return joined(*(Member(name, data, cipher, password, method) for name, data in tree.items()))


def joined(*members: Member) -> bytes:
    """Return a zip of these members."""
    data, directory = b"", b""
    for member in members:
        local, central = _records(member, len(data))
        data, directory = data + local, directory + central
    count = len(members)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(data), 0)
    return data + directory + end


def _records(member: Member, offset: int) -> tuple[bytes, bytes]:
    crc, size = zlib.crc32(member.data), len(member.data)
    packed = _deflated(member.data) if member.method == DEFLATED else member.data
    flags, method, extra = 1, member.method, b""
    match member.cipher:
        case Traditional(later, more):
            flags |= more | (8 if later else 0)
            check = TIME >> 8 if later else crc >> 24
            packed = zip_crypto(bytes(range(11)) + bytes([check]) + packed, member.password)
        case Aes(version, strength):
            extra = struct.pack("<HHH2sBH", 0x9901, 7, version, b"AE", strength, method)
            method, crc = 99, crc if version == 1 else 0
            packed = _aes(packed, member, strength)
        case None:
            flags = 0
    name = member.name.encode()
    later = bool(flags & 8)
    numbers = (crc, len(packed), size)
    head = (51 if method == 99 else 20, flags, method, TIME, DATE)
    local = struct.pack(
        "<4sHHHHHIIIHH", b"PK\x03\x04", *head, *((0, 0, 0) if later else numbers), len(name), len(extra)
    )
    descriptor = struct.pack("<4sIII", b"PK\x07\x08", *numbers) if later else b""
    central = struct.pack("<4sHHHHHHIII", b"PK\x01\x02", 20, *head, *numbers)
    central += struct.pack("<HHHHHII", len(name), len(extra), 0, 0, 0, 0, offset)
    return local + name + extra + packed + descriptor, central + name + extra


def _deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def _aes(packed: bytes, member: Member, strength: int) -> bytes:
    length = 8 + 8 * strength
    salt = hashlib.sha256(member.name.encode()).digest()[: length // 2]
    keys = hashlib.pbkdf2_hmac("sha1", member.password, salt, 1000, 2 * length + 2)
    body = counter_mode(keys[:length], packed)
    code = hmac.digest(keys[length : 2 * length], body, "sha1")[:10]
    return salt + keys[2 * length :] + body + code


def zip_crypto(plain: bytes, password: bytes) -> bytes:
    """Return bytes encrypted in the traditional way."""
    keys = [0x12345678, 0x23456789, 0x34567890]

    def update(byte: int) -> None:
        keys[0] = _crc_step(keys[0], byte)
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = _crc_step(keys[2], keys[1] >> 24)

    for byte in password:
        update(byte)
    out = bytearray()
    for byte in plain:
        word = (keys[2] | 2) & 0xFFFF
        out.append(byte ^ ((word * (word ^ 1)) >> 8) & 0xFF)
        update(byte)
    return bytes(out)


def _crc_step(crc: int, byte: int) -> int:
    """Return one step of CRC-32 without its pre- and post-inversion."""
    value = (crc ^ byte) & 0xFF
    for _ in range(8):
        value = (value >> 1) ^ (0xEDB88320 if value & 1 else 0)
    return value ^ (crc >> 8)
