"""Encrypted members of a zip are decrypted with given passwords, or refused."""

import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from tests.build.broken import flipped
from tests.build.dicom import MrSeries
from tests.build.encrypted import (
    CIPHERS,
    DEFLATED,
    STORED,
    Aes,
    Cipher,
    Member,
    Traditional,
    encrypted,
    joined,
    zip_crypto,
)
from tests.build.ingested import Ingested, ingested
from tests.build.packets import Kind, packed, tarred, zipped

FILES = MrSeries(slices=3).files()
IMAGE = FILES["IM0001"]
TREE = {**FILES, "notes.txt": b"words " * 50, "empty": b"", "long": bytes(range(256)) * 40}
METHODS = {"stored": STORED, "deflated": DEFLATED}
TRADITIONAL, AE1, AE2 = Traditional(), Aes(version=1), Aes(version=2)
EACH = pytest.mark.parametrize("cipher", CIPHERS.values(), ids=CIPHERS)


def read(data: bytes, work: Path, *passwords: bytes, **options: Any) -> Ingested:
    work.mkdir(exist_ok=True)
    packet = work / "p.zip"
    packet.write_bytes(data)
    return ingested(packet, work, passwords=passwords, **options)


@EACH
@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_decrypted_packet_gives_the_same_rows_as_an_unencrypted_one(
    cipher: Cipher, method: int, tmp_path: Path
) -> None:
    clear = read(zipped(TREE), tmp_path / "clear")
    opened = read(encrypted(TREE, cipher=cipher, method=method), tmp_path / "encrypted", b"secret")
    assert opened.reading.damage() == []
    assert opened.reading.skipped_bytes_notes() == []
    assert [(row.path, row.sha256, row.fate, row.reason) for row in opened.rows] == [
        (row.path, row.sha256, row.fate, row.reason) for row in clear.rows
    ]


@EACH
def test_passwords_are_tried_in_order(cipher: Cipher, tmp_path: Path) -> None:
    data = encrypted(TREE, "Käse 1 ".encode(), cipher)
    opened = read(data, tmp_path, b"", b"Kase 1 ", "Käse 1".encode(), "Käse 1 ".encode())
    assert opened.reading.damage() == []
    assert opened.row("IM0001").fate == "sorted"


def test_members_can_have_different_passwords_or_none(tmp_path: Path) -> None:
    ciphers = [TRADITIONAL, None, AE2, AE1]
    members = [Member(f"{k}", IMAGE + bytes([k]), cipher, b"word%d" % k) for k, cipher in enumerate(ciphers)]
    opened = read(joined(*members), tmp_path, b"word0", b"word2", b"word3")
    assert opened.reading.damage() == []
    assert len(opened.rows) == 4


@EACH
def test_a_member_with_a_wrong_password_is_refused(cipher: Cipher, tmp_path: Path) -> None:
    result = read(joined(Member("IM", IMAGE, cipher), Member("clear", b"text", None)), tmp_path, b"Secret", b"secret\n")
    assert result.fates() == {"IM": "refused", "clear": "kept"}
    assert result.row("IM").reason.startswith("encrypted: none of the 2 given passwords decrypts it")
    assert len(result.reading.damage()) == 1


@EACH
def test_a_member_without_a_password_has_the_reason_encrypted(cipher: Cipher, tmp_path: Path) -> None:
    assert {row.reason for row in read(encrypted(TREE, cipher=cipher), tmp_path).rows} == {"encrypted"}


def colliding_password(data: bytes) -> bytes:
    """Return a wrong password that passes the check byte of a traditional member with this content."""
    crc = zlib.crc32(data) >> 24
    header = zip_crypto(bytes(range(11)) + bytes([crc]), b"secret")
    candidates = (b"wrong%d" % k for k in range(10_000))
    # decrypt byte by byte: the keys depend on the plain text
    return next(password for password in candidates if decrypted(header, password)[-1] == crc)


def decrypted(data: bytes, password: bytes) -> bytes:
    plain = b""
    for byte in data:
        mask = zip_crypto(plain + b"\0", password)[-1]
        plain += bytes([byte ^ mask])
    return plain


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_wrong_password_that_passes_the_check_byte_is_refused(method: int, tmp_path: Path) -> None:
    wrong, data = colliding_password(IMAGE), encrypted({"IM": IMAGE}, method=method)
    refused = read(data, tmp_path / "wrong", wrong)
    assert refused.row("IM").fate == "refused"
    assert refused.row("IM").reason.startswith("encrypted: the given password does not decrypt it (one seems correct")
    opened = read(data, tmp_path / "right", wrong, b"secret")
    assert opened.row("IM").fate == "sorted"


@EACH
def test_large_members_have_the_same_checks(cipher: Cipher, tmp_path: Path) -> None:
    """With 16 threads, members above 4 MiB are written to disk first."""
    large = IMAGE + bytes(5 << 20)
    data = encrypted({"IM": large}, cipher=cipher, method=DEFLATED)
    opened = read(data, tmp_path / "right", colliding_password(large), b"secret", threads=16)
    assert opened.reading.damage() == []
    assert opened.row("IM").sha256 == read(zipped({"IM": large}), tmp_path / "clear").row("IM").sha256
    broken = read(flipped(data, 300), tmp_path / "broken", b"secret", threads=16)
    assert broken.row("IM").fate == "refused"


@EACH
def test_a_flipped_byte_is_found(cipher: Cipher, tmp_path: Path) -> None:
    result = read(flipped(encrypted({"IM": IMAGE}, cipher=cipher), 500), tmp_path, b"secret")
    assert result.row("IM").fate == "refused"
    reason = "its CRC is" if isinstance(cipher, Traditional) else "its authentication code is not that of its bytes"
    assert f"one seems correct, but: {reason}" in result.row("IM").reason


@EACH
def test_a_truncated_packet_is_damaged_and_gives_no_wrong_bytes(cipher: Cipher, tmp_path: Path) -> None:
    data = encrypted(FILES, cipher=cipher)
    result = read(data[: len(data) // 2], tmp_path, b"secret")
    assert result.reading.damage()
    hashes = {row.sha256 for row in read(zipped(FILES), tmp_path / "clear").rows}
    assert {row.sha256 for row in result.rows if row.fate == "sorted"} <= hashes


@pytest.mark.parametrize("flag", [1 << 6, 1 << 13], ids=["strong", "masked"])
def test_strong_encryption_is_refused_with_its_reason(flag: int, tmp_path: Path) -> None:
    result = read(encrypted({"IM": IMAGE}, cipher=Traditional(flags=flag)), tmp_path, b"secret")
    assert result.row("IM").reason == "encrypted in a way that cannot be opened (strong encryption, APPNOTE 7)"


def test_an_encrypted_central_directory_is_refused_with_its_reason(tmp_path: Path) -> None:
    """The zip64 end record of version 2 names the cipher (APPNOTE 7.3.4)."""
    data = encrypted({"IM": IMAGE}, cipher=Traditional(flags=1 << 13))
    end = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 72, 62, 62, 0, 0, 1, 1, 100, len(data) - 122)
    end += struct.pack("<HQQHHHHH", 8, 100, 100, 0x6610, 256, 1, 0x8004, 0)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, len(data) - 22, 1)
    result = read(data[:-22] + end + locator + data[-22:], tmp_path, b"secret")
    assert any("central directory encryption" in damage for damage in result.reading.damage())
    assert {row.fate for row in result.rows} <= {"refused"}


FIELDS = {
    "none": b"",
    "short": struct.pack("<HHH2sB", 0x9901, 5, 2, b"AE", 3),
    "long": struct.pack("<HHH2sBHB", 0x9901, 8, 2, b"AE", 3, 0, 0),
    "version": struct.pack("<HHH2sBH", 0x9901, 7, 3, b"AE", 3, 0),
    "vendor": struct.pack("<HHH2sBH", 0x9901, 7, 2, b"XX", 3, 0),
    "strength": struct.pack("<HHH2sBH", 0x9901, 7, 2, b"AE", 4, 0),
    "method": struct.pack("<HHH2sBH", 0x9901, 7, 2, b"AE", 3, 99),
}


@pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS)
def test_an_invalid_aes_field_is_refused(field: bytes, tmp_path: Path) -> None:
    valid = struct.pack("<HHH2sBH", 0x9901, 7, 2, b"AE", 3, 0)
    data = encrypted({"IM": IMAGE}, cipher=AE2)
    start = data.index(b"PK\x01\x02")
    central = data[start:].replace(valid, field)
    central = central[:30] + struct.pack("<H", len(field)) + central[32:]
    size = struct.pack("<I", len(central) - 22)
    central = central[:-10] + size + central[-6:]
    result = read(data[:start] + central, tmp_path, b"secret")
    assert "method 99" in result.row("IM").reason
    assert result.row("IM").fate == "refused"


@pytest.mark.parametrize("cipher", [TRADITIONAL, AE2], ids=["traditional", "aes"])
def test_a_member_shorter_than_its_encryption_is_refused(cipher: Cipher, tmp_path: Path) -> None:
    data = encrypted({"IM": b""}, cipher=cipher)
    start = data.index(b"PK\x01\x02") + 20
    result = read(data[:start] + struct.pack("<I", 5) + data[start + 4 :], tmp_path, b"secret")
    assert result.row("IM").reason == "encrypted, and too short for the bytes that its encryption adds"


@EACH
@pytest.mark.parametrize("outer", [Kind.ZIP, Kind.TAR_GZ], ids=lambda kind: kind.name)
def test_encrypted_archives_in_a_packet_are_opened(cipher: Cipher, outer: Kind, tmp_path: Path) -> None:
    packet = tmp_path / "p"
    packet.write_bytes(packed({"in/encrypted.zip": encrypted(FILES, cipher=cipher)}, outer))
    result = ingested(packet, tmp_path, passwords=[b"secret"])
    assert result.row("in/encrypted.zip").fate == "opened"
    assert result.row("in/encrypted.zip!IM0002").fate == "sorted"


def test_an_encrypted_zip_can_contain_a_tar_and_an_encrypted_zip(tmp_path: Path) -> None:
    inner = encrypted(FILES, b"inner", AE2)
    data = encrypted({"a.tar": tarred(FILES), "b.zip": inner}, b"outer", TRADITIONAL, DEFLATED)
    result = read(data, tmp_path, b"inner", b"outer")
    assert [result.row(name).fate for name in ("a.tar", "b.zip")] == ["opened", "opened"]
    assert result.row("b.zip!IM0001").fate == "duplicate"
