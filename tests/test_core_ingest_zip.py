"""Unusual, hostile and damaged zip archives."""

import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from qxbatch.core import ingest
from tests.build import zst
from tests.build.broken import bomb, flipped, same_names, wrong_crc
from tests.build.dicom import MrSeries
from tests.build.encrypted import encrypted
from tests.build.ingested import Ingested, digest, ingested
from tests.build.packets import zipped

FILES = MrSeries(slices=3).files()
IMAGE = FILES["IM0001"]
TREE = {**FILES, "notes.txt": b"words " * 50}


def read(data: bytes, work: Path, **options: int) -> Ingested:
    packet = work / "p.zip"
    packet.write_bytes(data)
    return ingested(packet, work, **options)


def entry(
    name: bytes,
    content: bytes,
    *,
    method: int = 0,
    packed: bytes | None = None,
    flags: int = 0,
    made_by: int = 20,
    attributes: int = 0,
    extra: bytes = b"",
    local_name: bytes | None = None,
    crc: int | None = None,
    size: int | None = None,
) -> tuple[bytes, bytes]:
    """Return a local record with its data, and the central record (offset 0: `joined` sets it)."""
    packed = content if packed is None else packed
    crc = zlib.crc32(content) if crc is None else crc
    size = len(content) if size is None else size
    fields = (20, flags, method, 0x5260, 0x582F, crc, len(packed), size)
    local_name = name if local_name is None else local_name
    local = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", *fields, len(local_name), 0) + local_name + packed
    lengths = (len(name), len(extra), 0, 0, 0, attributes, 0)
    return local, struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", made_by, *fields, *lengths) + name + extra


def joined(*entries: tuple[bytes, bytes], before: bytes = b"", comment: bytes = b"") -> bytes:
    """Return an archive of entries; its offsets do not include `before`."""
    data, directory = b"", b""
    for local, central in entries:
        directory += central[:42] + struct.pack("<I", len(data)) + central[46:]
        data += local
    count = len(entries)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(data), len(comment))
    return before + data + directory + end + comment


def test_members_with_the_same_name_are_all_kept(tmp_path: Path) -> None:
    members = [("a/0001.dcm", FILES["IM0001"]), ("a/0001.dcm", FILES["IM0002"]), ("x", b"1"), ("x", b"2")]
    result = read(same_names(members), tmp_path)
    assert [row.fate for row in result.rows] == ["sorted", "sorted", "kept", "kept"]
    assert result.kept() == {"x": b"1", "x_2": b"2"}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_every_compression_method_of_python_is_read(method: int, tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in TREE.items():
            archive.writestr(name, data)
    result = read(out.getvalue(), tmp_path)
    assert [group.files for group in result.reading.groups()] == [3]
    assert result.kept() == {"notes.txt": TREE["notes.txt"]}


@pytest.mark.parametrize(("method", "pack"), [(95, lzma.compress), (93, zst.compress)], ids=["xz", "zstd"])
def test_xz_and_zstd_are_read(method: int, pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    packed = pack(IMAGE)
    result = read(joined(entry(b"1", IMAGE, method=method, packed=packed)), tmp_path)
    assert result.fates() == {"1": "sorted"}


def test_an_unknown_method_is_refused_and_named(tmp_path: Path) -> None:
    result = read(joined(entry(b"1", IMAGE, method=97), entry(b"2", b"x")), tmp_path)
    assert result.fates() == {"1": "refused", "2": "kept"}
    assert result.reading.damage() == ["1: compression method 97 is not known"]


def test_sizes_after_the_data_are_read(tmp_path: Path) -> None:
    class NoSeek(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: int) -> int:
            raise OSError

        def tell(self) -> int:
            raise OSError

    out = NoSeek()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in TREE.items():
            archive.writestr(name, data)
    result = read(out.getvalue(), tmp_path)
    assert result.reading.damage() == []
    assert [group.files for group in result.reading.groups()] == [3]


def test_zip64_is_read(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("1", "w", force_zip64=True) as member:
        member.write(IMAGE)
    data = out.getvalue()
    end = data.rindex(b"PK\x05\x06")
    count, size, offset = struct.unpack_from("<HII", data, end + 10)
    zip64 = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    short = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    result = read(data[:end] + zip64 + locator + short, tmp_path)
    assert (result.fates(), result.reading.damage()) == ({"1": "sorted"}, [])


def empty_members(count: int) -> bytes:
    """Return a zip with that many empty members, and with a zip64 end record if there are more than 65535."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for k in range(count):
            archive.writestr(f"{k}", b"")
    return out.getvalue()


def test_more_than_65535_members_are_read(tmp_path: Path) -> None:
    packet = tmp_path / "p.zip"
    packet.write_bytes(empty_members(65_540))
    reading = ingest([(str(packet), "")], str(tmp_path / "staging"))
    assert (len(reading), reading.damage()) == (65_540, [])


def test_members_are_read_where_their_count_is_modulo_65536(tmp_path: Path) -> None:
    data = empty_members(65_540)
    end = data.rindex(b"PK\x06\x06")
    count, size, offset = struct.unpack_from("<QQQ", data, end + 32)
    short = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count % 65_536, count % 65_536, size, offset, 0)
    packet = tmp_path / "p.zip"
    packet.write_bytes(data[:end] + short)
    reading = ingest([(str(packet), "")], str(tmp_path / "staging"))
    assert (len(reading), reading.damage()) == (65_540, [])
    limited = ingest([(str(packet), "")], str(tmp_path / "limited"), max_members=65_539)
    assert (len(limited), limited.damage()) == (0, ["p.zip: it has 65540 members, more than 65539 (limit)"])


def test_a_member_with_a_wrong_crc_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    result = read(wrong_crc(TREE, "IM0002"), tmp_path)
    assert result.fates() == {"IM0001": "sorted", "IM0002": "refused", "IM0003": "sorted", "notes.txt": "kept"}
    [damage] = result.reading.damage()
    assert damage.startswith("IM0002: its CRC is ")


def test_an_encrypted_member_is_refused_with_its_reason(tmp_path: Path) -> None:
    result = read(encrypted(TREE), tmp_path)
    assert {row.fate for row in result.rows} == {"refused"}
    assert {row.reason for row in result.rows} == {"encrypted"}
    assert len(result.reading.damage()) == len(TREE)


def test_names_in_code_page_437_and_utf8_are_decoded(tmp_path: Path) -> None:
    result = read(joined(entry(b"\x82t\x82", b"1"), entry("ü".encode(), b"2", flags=0x800)), tmp_path)
    assert list(result.fates()) == ["été", "ü"]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("../../outside", "outside"),
        ("/etc/passwd", "etc/passwd"),
        ("C:\\Windows\\x", "Windows/x"),
        ("..\\..\\x", "x"),
        ("a//b/./c", "a/b/c"),
        ("", "unnamed"),
        ("..", "unnamed"),
        ("tab\there", "tab_here"),
        ("a\x00b", "a_b"),
    ],
)
def test_unsafe_names_are_kept_inside(name: str, path: str, tmp_path: Path) -> None:
    result = read(joined(entry(name.encode(), b"words"), entry(b"1", IMAGE)), tmp_path)
    assert result.kept() == {path: b"words"}
    assert [row.fate for row in result.rows] == ["kept", "sorted"]


def test_dicom_with_an_unsafe_name_is_sorted_by_its_header(tmp_path: Path) -> None:
    result = read(joined(entry(b"../../../1", IMAGE)), tmp_path)
    assert result.row("../../../1").at.startswith("dicom/10/P001-10-")


def test_links_and_devices_are_recognised_by_their_unix_mode(tmp_path: Path) -> None:
    link = entry(b"link", b"/etc/passwd", made_by=0x0314, attributes=0o120777 << 16)
    fifo = entry(b"fifo", b"", made_by=0x0314, attributes=0o010644 << 16)
    folder = entry(b"folder/", b"")
    folder_with_data = entry(b"odd/", b"bytes")
    device_with_data = entry(b"device", b"bytes", made_by=0x0314, attributes=0o020644 << 16)
    result = read(joined(link, fifo, folder, folder_with_data, device_with_data), tmp_path)
    assert {row.path: (row.kind, row.fate) for row in result.rows} == {
        "link": ("link", "nodata"),
        "fifo": ("device", "nodata"),
        "folder/": ("directory", "nodata"),
        "odd/": ("other", "kept"),
        "device": ("other", "kept"),
    }
    assert result.row("link").reason == "a symbolic link to /etc/passwd"


def test_bytes_before_the_archive_give_a_note(tmp_path: Path) -> None:
    program = b"MZ" + bytes(1000)
    result = read(joined(*(entry(name.encode(), data) for name, data in TREE.items()), before=program), tmp_path)
    assert [group.files for group in result.reading.groups()] == [3]
    assert result.reading.damage() == []
    assert result.reading.skipped_bytes_notes() == ["p.zip: 1002 bytes precede the archive"]


def test_a_comment_with_an_end_mark_is_ignored(tmp_path: Path) -> None:
    comment = b"see PK\x05\x06" + bytes(30)
    result = read(joined(entry(b"1", IMAGE), comment=comment), tmp_path)
    assert (result.fates(), result.reading.damage()) == ({"1": "sorted"}, [])


def test_an_archive_truncated_after_a_stored_zip_is_not_read_as_that_zip(tmp_path: Path) -> None:
    inner = joined(entry(b"inner", IMAGE))
    complete = joined(entry(b"first", FILES["IM0002"]), entry(b"inner.zip", inner), entry(b"last", FILES["IM0003"]))
    result = read(complete[: complete.index(b"last") - 30], tmp_path)
    assert result.reading.damage() == ["p.zip: its end record is missing (cut short?)"]
    assert result.fates()["first"] == "sorted"


def test_joined_archives_are_recognised(tmp_path: Path) -> None:
    archives = [joined(entry(name.encode(), data), comment=b"a comment") for name, data in TREE.items()]
    result = read(b"".join(archives), tmp_path)
    assert result.reading.damage() == [
        f"p.zip: it is {len(TREE)} zip archives, one after the other; the second begins at byte {len(archives[0])}"
    ]


def test_an_archive_truncated_after_two_stored_zips_is_not_taken_for_joined_archives(tmp_path: Path) -> None:
    first, second = (joined(entry(name, IMAGE)) for name in (b"first", b"second"))
    complete = joined(entry(b"first.zip", first), entry(b"second.zip", second), entry(b"last", IMAGE))
    result = read(complete[: complete.index(b"last") - 30], tmp_path)
    assert result.reading.damage() == ["p.zip: its end record is missing (cut short?)"]


def test_contradictory_headers_give_a_reason(tmp_path: Path) -> None:
    result = read(joined(entry(b"good.txt", b"words", local_name=b"evil.exe")), tmp_path)
    assert result.row("good.txt").fate == "kept"
    assert "disagree on name" in result.row("good.txt").reason


def test_a_member_that_overlaps_another_is_refused(tmp_path: Path) -> None:
    local, central = entry(b"a", IMAGE)
    _, twin = entry(b"b", IMAGE)
    data = joined((local, central))
    end = data.rindex(b"PK\x05\x06")
    directory = central[:42] + bytes(4) + central[46:] + twin[:42] + bytes(4) + twin[46:]
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 2, 2, len(directory), len(local), 0)
    assert end == len(local) + len(central)
    result = read(local + directory + tail, tmp_path)
    assert result.fates() == {"a": "sorted", "b": "refused"}
    assert result.row("b").reason == "its bytes overlap those of another member"


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    result = read(bomb("zeros", 200 << 20), tmp_path)
    assert result.fates() == {"zeros": "refused"}
    assert "limit on expansion" in result.row("zeros").reason


def test_members_with_a_wrong_size_are_refused(tmp_path: Path) -> None:
    packed = zlib.compress(IMAGE, 9)[2:-4]
    less = entry(b"less", IMAGE, method=8, packed=packed, size=len(IMAGE) - 1)
    more = entry(b"more", IMAGE, method=8, packed=packed, size=len(IMAGE) + 1)
    maximum = entry(b"most", IMAGE, method=8, packed=packed, size=0xFFFFFFF0)
    stored = entry(b"stored", IMAGE, size=len(IMAGE) - 1)
    result = read(joined(less, more, maximum, stored), tmp_path)
    assert {row.fate for row in result.rows} == {"refused"}
    assert all(row.reason for row in result.rows)


@pytest.mark.parametrize("limit", [{"max_bytes": 2 * len(IMAGE)}, {"max_members": 2}])
def test_a_packet_that_exceeds_a_limit_is_damaged(limit: dict[str, int], tmp_path: Path) -> None:
    result = read(zipped(TREE), tmp_path, **limit)
    assert "limit" in result.reading.damage()[-1]
    assert result.reading.damage()[-1].startswith("p.zip: ")


def test_an_end_record_with_a_wrong_count_is_damage(tmp_path: Path) -> None:
    data = bytearray(zipped(TREE))
    end = data.rindex(b"PK\x05\x06")
    struct.pack_into("<HH", data, end + 8, 3, 3)
    result = read(bytes(data), tmp_path)
    assert result.reading.damage() == ["p.zip: its end record counts 3 members, the directory lists 4"]


@pytest.mark.parametrize("stored", [False, True])
def test_a_zip_truncated_at_any_byte_is_damaged(stored: bool, tmp_path: Path) -> None:
    tree = {"a": b"first words", "b/": b"", "1": IMAGE[:600], "c": b"last"}
    data = zipped(tree, stored=stored)
    packet = tmp_path / "p.zip"
    for end in range(4, len(data)):
        packet.write_bytes(data[:end])
        reading = ingest([(str(packet), "")], str(tmp_path / f"{end}"))
        assert reading.damage(), f"cut at {end}"


def test_a_truncated_zip_gives_its_complete_members(tmp_path: Path) -> None:
    data = zipped(TREE)
    third = data.index(b"IM0003")
    result = read(data[: third + 50], tmp_path)
    assert result.fates() == {"IM0001": "sorted", "IM0002": "sorted", "IM0003": "refused"}


def test_flipped_bytes_are_found_or_harmless(tmp_path: Path) -> None:
    data = zipped(TREE)
    hashes = {digest(content) for content in TREE.values()}
    packet = tmp_path / "p.zip"
    for offset in range(4, len(data), 7):
        packet.write_bytes(flipped(data, offset))
        reading = ingest([(str(packet), "")], str(tmp_path / f"{offset}"))
        rows = [reading.row(k) for k in range(len(reading))]
        hashes_read = {row.sha256 for row in rows if row.fate in {"sorted", "kept"}}
        assert hashes_read == hashes or reading.damage(), f"flipped at {offset}"


def test_a_link_with_an_impossible_size_is_named_without_its_target(tmp_path: Path) -> None:
    local, central = entry(b"link", b"/etc/passwd", method=8, made_by=0x0314, attributes=0o120777 << 16)
    # The compressed size is in a zip64 field: 2 to the power of 62.
    zip64 = struct.pack("<HHQ", 1, 8, 1 << 62)
    name = central[46:50]
    central = (
        central[:20]
        + b"\xff\xff\xff\xff"
        + central[24:30]
        + struct.pack("<H", len(zip64))
        + central[32:46]
        + name
        + zip64
    )
    result = read(joined(entry(b"1", IMAGE), (local, central)), tmp_path)
    assert result.row("link").reason == "a symbolic link"
    assert [row.fate for row in result.rows] == ["sorted", "nodata"]
