"""7z packets: methods, order, checksums, names, limits and passwords."""

from pathlib import Path

import pytest

from qxbatch.core import is_archive, sniff
from tests.build.dicom import MrSeries
from tests.build.ingested import Ingested, digest, ingested
from tests.build.packets import under
from tests.build.sevenz import Method, resummed, sevenz
from tests.build.sevenz_samples import CONTENT, PASSWORD, SEVENZ_SAMPLES

FILES = MrSeries(slices=3).files()
TREE = {**under("in", FILES), "in/notes.txt": b"words", "in/none": b""}
SOLID_OR_NOT = pytest.mark.parametrize("solid", [True, False], ids=["solid", "not solid"])


def read(data: bytes, work: Path, **options: object) -> Ingested:
    packet = work / "p.7z"
    packet.write_bytes(data)
    return ingested(packet, work, **options)


@SOLID_OR_NOT
@pytest.mark.parametrize("method", [Method.COPY, Method.LZMA2], ids=lambda method: method.name)
def test_members_are_read_in_order_with_their_hashes(method: Method, solid: bool, tmp_path: Path) -> None:
    result = read(sevenz(TREE, method, solid=solid, folders=["empty folder"]), tmp_path)
    assert [row.path for row in result.rows] == [*TREE, "empty folder"]
    assert {row.path: row.sha256 for row in result.rows if row.fate != "nodata"} == {
        name: digest(data) for name, data in TREE.items()
    }
    assert result.row("empty folder").kind == "directory"
    assert result.row("in/none").reason == "empty"
    assert [group.files for group in result.reading.groups()] == [3]
    assert (result.reading.damage(), result.reading.skipped_bytes_notes()) == ([], [])


@pytest.mark.parametrize("name", SEVENZ_SAMPLES)
def test_every_method_of_7_zip_is_read(name: str, tmp_path: Path) -> None:
    result = read(SEVENZ_SAMPLES[name], tmp_path, passwords=[b"wrong", PASSWORD.encode()])
    assert result.kept() == {"known.bin": CONTENT}
    assert result.reading.damage() == []


@pytest.mark.parametrize("name", ["encrypted", "encrypted list"])
def test_an_encrypted_packet_without_its_password_is_reported(name: str, tmp_path: Path) -> None:
    result = read(SEVENZ_SAMPLES[name], tmp_path)
    [text] = result.reading.damage()
    assert text.endswith(": encrypted")
    (tmp_path / "second").mkdir()
    result = read(SEVENZ_SAMPLES[name], tmp_path / "second", passwords=[b"wrong"])
    [text] = result.reading.damage()
    assert text.endswith(": encrypted: the given password does not decrypt it")


@SOLID_OR_NOT
def test_a_member_with_a_wrong_checksum_does_not_affect_the_others(solid: bool, tmp_path: Path) -> None:
    result = read(sevenz(TREE, solid=solid, wrong_crc="in/IM0002"), tmp_path)
    assert [row.path for row in result.rows if row.fate == "refused"] == ["in/IM0002"]
    assert "CRC" in result.row("in/IM0002").reason
    assert [group.files for group in result.reading.groups()] == [2]


@pytest.mark.parametrize("size", [31, 200, -1])
def test_a_truncated_packet_is_reported(size: int, tmp_path: Path) -> None:
    result = read(sevenz(TREE)[:size], tmp_path)
    [text] = result.reading.damage()
    assert "cut short" in text
    assert result.rows == []


def test_unsafe_names_stay_inside_and_equal_names_are_both_kept(tmp_path: Path) -> None:
    tree = {"../../up": b"1", "/etc/rooted": b"2", "C:\\w": b"3", "a": b"4", "A": b"5", "\U0001f9e0ü": b"6"}
    result = read(sevenz(tree), tmp_path)
    assert sorted(result.kept().values()) == [b"1", b"2", b"3", b"4", b"5", b"6"]
    assert [row.path for row in result.rows][-1] == "\U0001f9e0ü"
    (tmp_path / "second").mkdir()
    two_members = sevenz({"x1": b"one", "x2": b"two"})
    # the file list is not compressed: make both names equal and recompute its checksums
    result = read(
        resummed(two_members.replace("x2".encode("utf-16-le"), "x1".encode("utf-16-le"))), tmp_path / "second"
    )
    assert [row.path for row in result.rows] == ["x1", "x1"]
    assert sorted(result.kept().values()) == [b"one", b"two"]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"max_members": 3}, "it has 5 members, more than 3 (limit)"),
        ({"max_bytes": 2000}, "limit on total size"),
    ],
)
def test_limits_are_the_same_as_for_other_archives(options: dict[str, int], word: str, tmp_path: Path) -> None:
    result = read(sevenz(TREE), tmp_path, **options)
    assert any(word in text for text in result.reading.damage()), result.reading.damage()


def test_the_targets_of_links_count_for_the_limit_on_names(tmp_path: Path) -> None:
    links = {f"link {k:04d}": b"t" * 4096 for k in range(8500)}
    result = read(sevenz(links, modes=dict.fromkeys(links, 0o120777)), tmp_path)
    assert any("limit on names" in text for text in result.reading.damage())
    assert {row.fate for row in result.rows} == {"nodata", "refused"}


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    result = read(sevenz({"zeros": bytes(100 << 20)}), tmp_path)
    assert [row.fate for row in result.rows] == ["refused"]
    assert "limit on expansion" in result.rows[0].reason


def test_a_dictionary_above_the_limit_is_refused_with_a_command(tmp_path: Path) -> None:
    data = sevenz(TREE, coder=b"\x21\x21\x01\x20", claimed=256 << 20)
    result = read(data, tmp_path, max_ratio=10**6)
    reasons = {row.reason for row in result.rows if row.fate == "refused"}
    [reason] = reasons
    assert "more than 128 MiB (limit); repack it with" in reason


def test_a_dictionary_larger_than_the_content_is_limited_to_it(tmp_path: Path) -> None:
    result = read(sevenz(TREE, coder=b"\x21\x21\x01\x20"), tmp_path)
    assert result.reading.damage() == []


def test_an_unknown_method_is_named(tmp_path: Path) -> None:
    result = read(sevenz({"a": b"words"}, coder=b"\x04\x04\xf7\x11\x02"), tmp_path)
    assert result.rows[0].reason == "packed by method 04f71102, which is not known"


def test_a_large_member_is_read(tmp_path: Path) -> None:
    data = bytes(k * k % 251 for k in range(1 << 16)) * 600
    result = read(sevenz({"a": b"1", "large": data, "z": b"2"}), tmp_path)
    assert result.row("large").sha256 == digest(data)
    assert result.row("z").sha256 == digest(b"2")


def test_7z_is_recognised_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "packet"
    path.write_bytes(sevenz(TREE))
    assert (sniff(str(path)), is_archive(str(path))) == ("7z", True)


def test_links_and_devices_are_recognised_by_their_unix_mode_and_devices_with_data_are_files(tmp_path: Path) -> None:
    data = sevenz({"link": b"/etc/passwd", "device": b"bytes"}, modes={"link": 0o120777, "device": 0o020644})
    result = read(data, tmp_path)
    assert {row.path: (row.kind, row.fate) for row in result.rows} == {
        "link": ("link", "nodata"),
        "device": ("other", "kept"),
    }
