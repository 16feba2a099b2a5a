"""Tar archives of all formats, also unusual, hostile and damaged ones."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from qxbatch.core import Reading, ingest
from tests.build.broken import flipped, odd_tar
from tests.build.dicom import MrSeries
from tests.build.ingested import Ingested, digest, ingested
from tests.build.packets import COMPRESSIONS, Kind, tarred

FILES = MrSeries(slices=3).files()
IMAGE = FILES["IM0001"]
TREE = {**FILES, "notes.txt": b"words " * 50}
FORMS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}


def read(data: bytes, work: Path, **options: int) -> Ingested:
    packet = work / "p.tar"
    packet.write_bytes(data)
    return ingested(packet, work, **options)


def members(*infos: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """Return a tar of given members."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for info, data in infos:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def info(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def block(name: bytes, size: int, flag: bytes = b"0", fill: bytes = b"") -> bytes:
    """Return a header block with a valid checksum; `fill` starts at byte 386."""
    head = bytearray(512)
    head[: len(name)] = name
    head[124:136] = f"{size:011o}\0".encode()
    head[156:157] = flag
    head[257:265] = b"ustar  \0"
    head[386 : 386 + len(fill)] = fill
    head[148:156] = b" " * 8
    head[148:156] = f"{sum(head):06o}\0 ".encode()
    return bytes(head)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_every_tar_format_is_read(form: int, tmp_path: Path) -> None:
    result = read(tarred(TREE, form=form), tmp_path)
    assert [group.files for group in result.reading.groups()] == [3]
    assert result.reading.damage() == []


@pytest.mark.parametrize("form", ["gnu", "pax"])
def test_long_names_and_long_link_targets(form: str, tmp_path: Path) -> None:
    name = "/".join(["folder" * 10] * 5) + "/" + "n" * 200
    link = info("link", tarfile.SYMTYPE, "t" * 300)
    result = read(members((info(name), b"words"), (link, b""), form=FORMS[form]), tmp_path)
    assert result.kept() == {name: b"words"}
    assert result.row("link").reason == "a symbolic link to " + "t" * 300


def test_names_that_are_not_utf8_are_escaped(tmp_path: Path) -> None:
    result = read(members((info("caf\udce9"), b"words"), form=tarfile.GNU_FORMAT), tmp_path)
    assert result.fates() == {"caf\\xe9": "kept"}
    assert result.kept() == {"caf_": b"words"}


def test_links_devices_and_folders_have_no_bytes(tmp_path: Path) -> None:
    data = members(
        (info("1"), IMAGE),
        (info("symbolic", tarfile.SYMTYPE, "../../etc/passwd"), b""),
        (info("hard", tarfile.LNKTYPE, "1"), b""),
        (info("char", tarfile.CHRTYPE), b""),
        (info("block", tarfile.BLKTYPE), b""),
        (info("fifo", tarfile.FIFOTYPE), b""),
        (info("folder", tarfile.DIRTYPE), b""),
    )
    result = read(data, tmp_path)
    kinds = {row.path: row.kind for row in result.rows if row.fate == "nodata"}
    assert kinds == {
        "symbolic": "link",
        "hard": "link",
        "char": "device",
        "block": "device",
        "fifo": "device",
        "folder/": "directory",
    }
    assert result.row("hard").reason == "a hard link to 1, whose row has the bytes"


def test_a_hard_link_to_a_missing_member_is_refused(tmp_path: Path) -> None:
    data = members((info("1"), IMAGE), (info("hard", tarfile.LNKTYPE, "/outside"), b""))
    result = read(data, tmp_path)
    assert result.row("hard").fate == "refused"
    assert result.reading.damage() == ["hard: a hard link to /outside, which is not in the archive before it"]


def test_links_and_devices_of_an_old_tar(tmp_path: Path) -> None:
    result = read(odd_tar(TREE, links={"l": b"x"}, devices=["d"]), tmp_path)
    assert (result.row("l").kind, result.row("d").kind) == ("link", "device")


def test_members_with_the_same_name_are_all_kept(tmp_path: Path) -> None:
    result = read(
        members((info("x"), b"1"), (info("x"), b"2"), (info("y"), IMAGE), (info("y"), IMAGE + b"\0\0")), tmp_path
    )
    assert result.kept() == {"x": b"1", "x_2": b"2"}
    assert [group.files for group in result.reading.groups()] == [2]


def test_a_name_of_both_a_file_and_a_folder_is_kept_twice(tmp_path: Path) -> None:
    result = read(members((info("a"), b"file"), (info("a/b"), b"inside")), tmp_path)
    assert result.kept() == {"a_2": b"file", "a/b": b"inside"}


def test_sparse_files_are_read_with_their_holes(tmp_path: Path) -> None:
    expected = bytes(1000) + b"data" * 128 + bytes(2000)
    stored = b"data" * 128
    old = block(b"old", 512, b"S", b"".join(f"{number:011o}\0".encode() for number in (1000, 512)))
    old = old[:483] + b"00000006670\0" + old[495:]
    old = with_field(old, 483, f"{len(expected):011o}\0".encode())
    map_1_0 = padded(b"1\n1000\n512\n")
    new = info("GNUSparseFile.0/new")
    new.pax_headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "new",
        "GNU.sparse.realsize": str(len(expected)),
    }
    middle = info("middle")
    middle.pax_headers = {"GNU.sparse.size": str(len(expected)), "GNU.sparse.map": "1000,512"}
    data = old + stored + members((new, map_1_0 + stored), (middle, stored))
    result = read(data, tmp_path)
    assert result.reading.damage() == []
    assert result.kept() == {"old": expected, "new": expected, "middle": expected}


def test_a_name_in_a_global_header_is_not_that_of_all_members(tmp_path: Path) -> None:
    record = b"26 GNU.sparse.name=of one\n"
    assert len(record) == int(record[:2])
    start = block(b"global", len(record), b"g") + padded(record)
    result = read(start + members((info("a" * 120), b"first"), (info("b" * 120), b"second")), tmp_path)
    assert result.kept() == {"a" * 120: b"first", "b" * 120: b"second"}


def with_field(head: bytes, offset: int, field: bytes) -> bytes:
    """Set a field of a header and update its checksum."""
    new = bytearray(head)
    new[offset : offset + len(field)] = field
    new[148:156] = b" " * 8
    new[148:156] = f"{sum(new):06o}\0 ".encode()
    return bytes(new)


def test_a_sparse_giant_is_refused(tmp_path: Path) -> None:
    giant = info("giant")
    giant.pax_headers = {"GNU.sparse.size": str(10 << 40), "GNU.sparse.map": "0,4"}
    result = read(members((giant, b"data"), (info("1"), IMAGE)), tmp_path)
    assert result.fates() == {"giant": "refused", "1": "sorted"}
    assert "holes" in result.row("giant").reason


def of_size(size: int) -> bytes:
    """Return a tar whose only member states a wrong size."""
    field = b"\x80" + size.to_bytes(11, "big") if size >= 1 << 33 else f"{size:011o}\0".encode()
    return with_field(block(b"member", 0), 124, field) + padded(IMAGE)


@pytest.mark.parametrize("size", [(1 << 33) - 1, 8 << 30, 900 << 30])  # the last does not fit on most disks
def test_a_member_that_is_shorter_than_its_stated_size_is_refused(size: int, tmp_path: Path) -> None:
    result = read(of_size(size), tmp_path)
    assert result.fates() == {"member": "refused"}
    assert result.reading.damage() == ["member: cut short", "p.tar: cut short"]


def test_a_size_beyond_the_limit_ends_the_archive(tmp_path: Path) -> None:
    result = read(of_size(1 << 62), tmp_path)
    assert result.fates() == {}
    (damage,) = result.reading.damage()
    assert "more than 1099511627776 bytes (limit on total size, --max-total) with member of" in damage


def test_a_name_record_of_gigabytes_is_refused(tmp_path: Path) -> None:
    result = read(block(b"././@LongLink", 4 << 30, b"L") + bytes(5000), tmp_path)
    assert result.reading.damage() == ["p.tar: a name or extended header of 4294967296 bytes"]


def test_concatenated_archives_are_all_read(tmp_path: Path) -> None:
    result = read(tarred({"1": IMAGE}) + tarred({"x": b"words"}), tmp_path)
    assert result.fates() == {"1": "sorted", "x": "kept"}


def test_other_bytes_after_the_end_give_a_note(tmp_path: Path) -> None:
    result = read(tarred({"1": IMAGE}) + b"rest of a tape" * 100, tmp_path)
    assert result.reading.damage() == []
    assert result.reading.skipped_bytes_notes() == ["p.tar: 1400 bytes follow the end mark of the tar"]


def test_a_wrong_checksum_ends_the_archive(tmp_path: Path) -> None:
    data = tarred({"1": IMAGE, "2": b"words"}, form=tarfile.USTAR_FORMAT)
    offset = 512 + len(padded(IMAGE)) + 10
    result = read(flipped(data, offset), tmp_path)
    assert result.fates() == {"1": "sorted"}
    assert result.reading.damage() == ["p.tar: the header of the next member is invalid (checksum)"]


def test_a_tar_truncated_at_any_byte_is_damaged(tmp_path: Path) -> None:
    tree = {"a": b"first words", "b": b"second"}
    data = tarred(tree, form=tarfile.GNU_FORMAT)
    packet = tmp_path / "p.tar"
    # A tar with its first end block is complete.
    for end in range(512, 4 * 512 + 512):
        packet.write_bytes(data[:end])
        reading = ingest([(str(packet), "")], str(tmp_path / f"{end}"))
        assert reading.damage(), f"cut at {end}"
    packet.write_bytes(data[: 5 * 512])
    assert ingest([(str(packet), "")], str(tmp_path / "end")).damage() == []


@pytest.mark.parametrize("kind", [Kind.TAR_GZ, Kind.TAR_BZ2, Kind.TAR_XZ, Kind.TAR_ZST], ids=lambda kind: kind.name)
def test_a_compressed_tar_truncated_at_any_byte_is_damaged(kind: Kind, tmp_path: Path) -> None:
    data = COMPRESSIONS[kind](tarred({"1": IMAGE[:90]}, form=tarfile.GNU_FORMAT)[:2048])
    packet = tmp_path / "p"
    for end in range(3, len(data), 1 if len(data) < 1000 else 3):
        packet.write_bytes(data[:end])
        reading = ingest([(str(packet), "")], str(tmp_path / f"{end}"))
        # A very short prefix is no longer recognised as an archive: it is one file, kept with a reason or refused.
        assert reading.damage() or is_kept_as_file(reading), f"cut at {end}"


def is_kept_as_file(reading: Reading) -> bool:
    """Return whether the packet is one kept file with a reason."""
    row = reading.row(0)
    return len(reading) == 1 and (row.path, row.fate) == ("p", "kept") and bool(row.reason)


def test_a_truncated_tar_z_is_damaged_or_complete(tmp_path: Path) -> None:
    complete = tarred({"1": IMAGE[:90], "2": IMAGE[90:200]}, form=tarfile.GNU_FORMAT)[: 6 * 512]
    data = COMPRESSIONS[Kind.TAR_Z](complete)
    packet = tmp_path / "p"
    for end in range(3, len(data)):
        packet.write_bytes(data[:end])
        reading = ingest([(str(packet), "")], str(tmp_path / f"{end}"))
        # This format has no end mark: truncated zeros at the end cannot be detected, and nothing is lost.
        sums = {reading.row(k).sha256 for k in range(len(reading))}
        assert reading.damage() or is_kept_as_file(reading) or sums == {digest(IMAGE[:90]), digest(IMAGE[90:200])}


def test_several_gzip_members_are_one_tar(tmp_path: Path) -> None:
    data = tarred(TREE)
    result = read(gzip.compress(data[:3000]) + gzip.compress(data[3000:]), tmp_path)
    assert [group.files for group in result.reading.groups()] == [3]
    assert result.reading.damage() == []


def test_other_bytes_after_gzip_data_give_a_note(tmp_path: Path) -> None:
    result = read(gzip.compress(tarred(TREE)) + b"garbage", tmp_path)
    assert result.reading.damage() == []
    assert result.reading.skipped_bytes_notes() == ["p.tar: 7 bytes follow the compressed data"]


def test_a_wrong_checksum_of_the_gzip_data_is_damage(tmp_path: Path) -> None:
    data = gzip.compress(tarred(TREE))
    result = read(flipped(data, len(data) - 6), tmp_path)
    assert result.reading.damage() != []
    assert [group.files for group in result.reading.groups()] == [3], "the members are still read"


def test_a_gzip_bomb_is_stopped_at_the_limit(tmp_path: Path) -> None:
    zeros = gzip.compress(bytes(300 << 20), 9)
    head = block(b"zeros", 300 << 20)
    result = read(gzip.compress(head) + zeros + gzip.compress(bytes(1024)), tmp_path)
    assert "limit on expansion" in result.reading.damage()[-1]


def test_flipped_bytes_in_gzip_data_are_found(tmp_path: Path) -> None:
    data = gzip.compress(tarred(TREE), mtime=0)
    packet = tmp_path / "p"
    for offset in range(10, len(data), 11):
        packet.write_bytes(flipped(data, offset))
        reading = ingest([(str(packet), "")], str(tmp_path / f"{offset}"))
        assert reading.damage(), f"flipped at {offset}"
