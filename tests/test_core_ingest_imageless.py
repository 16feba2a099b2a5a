"""An archive without images among the loose files of a session (its prefix ends with `!`) is kept like a loose file."""

import hashlib
from pathlib import Path

import pytest

from qxbatch.core import Reading, ingest, is_archive
from tests.build import lzw, zst
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, packed, under, write_folder, zipped

T1 = MrSeries(number=3).files()
SHEET = zipped({"xl/workbook.xml": b"<x/>"})


def read(inbox: Path, archives: list[str], **files: bytes) -> Reading:
    """Read an inbox of a session as folder mode does."""
    for name, data in files.items():
        (inbox / name).write_bytes(data)
    sources = [(str(inbox), ""), *((str(inbox / name), f"{name}!") for name in archives)]
    return ingest(sources, str(inbox.parent / "staging"), skip=[str(inbox / name) for name in archives])


def rows(reading: Reading) -> list[tuple[str, str, str]]:
    return [(row.path, row.kind, row.fate) for row in map(reading.row, range(len(reading)))]


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


def test_an_archive_without_images_is_kept_and_its_row_is_sorted_among_the_loose_files(inbox: Path) -> None:
    write_folder(under("m", {"IM0001": T1["IM0001"]}), inbox)
    archives = ["a.xlsx", "n.tar", "z.xlsx"]
    reading = read(inbox, archives, **{"a.xlsx": SHEET, "n.tar": packed(T1, Kind.TAR), "z.xlsx": SHEET, "x.txt": b"x"})
    assert [path for path, _, _ in rows(reading)] == [
        "a.xlsx",
        "m/IM0001",
        "x.txt",
        "z.xlsx",
        *(f"n.tar!{n}" for n in T1),
    ]
    [first, *_] = rows(reading)
    assert first == ("a.xlsx", "archive", "kept")
    row = reading.row(0)
    assert (row.size, row.sha256) == (len(SHEET), hashlib.sha256(SHEET).hexdigest())
    assert Path(reading.staged_path(0)).read_bytes() == SHEET
    assert reading.damage() == []


def test_a_damaged_archive_is_reported_as_damage(inbox: Path) -> None:
    reading = read(inbox, ["n.tar"], **{"n.tar": packed({"a": b"x" * 2000, "b": b"y" * 2000}, Kind.TAR)[:3000]})
    assert reading.damage()
    assert ("n.tar", "archive", "kept") not in rows(reading)


def test_a_link_to_an_archive_has_no_data(inbox: Path) -> None:
    (inbox.parent / "target.xlsx").write_bytes(SHEET)
    (inbox / "list.xlsx").symlink_to("../target.xlsx")
    assert rows(read(inbox, ["list.xlsx"])) == [("list.xlsx", "link", "nodata")]


def test_a_packet_without_images_is_unpacked(inbox: Path) -> None:
    (inbox / "P.zip").write_bytes(SHEET)
    reading = ingest([(str(inbox / "P.zip"), "")], str(inbox.parent / "staging"))
    assert [path for path, _, _ in rows(reading)] == ["xl/workbook.xml"]


@pytest.mark.parametrize("pack", [zst.compress, lzw.compress], ids=["zst", "Z"])
def test_is_archive_agrees_with_the_reading(inbox: Path, pack: object) -> None:
    compress = pack
    assert callable(compress)
    for name, data, is_tar in (("one", T1["IM0001"], False), ("tar", packed(T1, Kind.TAR), True)):
        path = inbox / name
        path.write_bytes(compress(data))
        assert is_archive(str(path)) is is_tar
        reading = ingest([(str(path), "")], str(inbox.parent / f"{name}.staging"))
        assert len(reading) == (len(T1) if is_tar else 1)
        assert {row.fate for row in map(reading.row, range(len(reading)))} == {"sorted"}
