"""An archive without images among the loose files of a session (its prefix ends with `!`) is kept like a loose file."""

import bz2
import gzip
import hashlib
import lzma
from collections.abc import Callable
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


RAR = b"Rar!\x1a\x07\x00" + b"\2" * 200
CABINET = b"MSCF\0\0\0\0" + b"\1" * 200
ISO = bytes(32768) + b"\1CD001" + bytes(5000)
DMG = b"data" * 30000 + b"koly\0\0\0\4\0\0\2\0" + bytes(500)
SELF_EXTRACTING = b"MZ" + b"program " * 20000 + zipped({"images.rar": RAR})
ENCRYPTED = zipped({"a.dcm": T1["IM0001"]})
ENCRYPTED = ENCRYPTED.replace(b"PK\3\4\x14\0\0", b"PK\3\4\x14\0\1").replace(
    b"PK\1\2\x14\3\x14\0\0", b"PK\1\2\x14\3\x14\0\1"
)

LEFT_OUT = {
    "images.rar": (RAR, "foreign-archive"),
    "images.iso": (ISO, "foreign-archive"),
    "images.dmg": (DMG, "foreign-archive"),
    "images.exe": (SELF_EXTRACTING, "foreign-archive"),
    "images.zip.002": (b"the middle of a zip", "foreign-archive"),
    "images.zip": (ENCRYPTED, "encrypted-archive"),
    "damaged.zip": (zipped({"a.dcm": T1["IM0001"]})[:-30], "damaged-archive"),
    "zeros.dcm": (bytes(500), "empty"),
    "empty.par": (b"", "empty"),
    "text.dcm": (b"not an image " * 50, "not-dicom"),
}
NOT_LEFT_OUT = {
    "viewer.cab": CABINET,
    "viewer.exe": b"MZ" + b"program " * 20000,
    "table.xlsx": SHEET,
    "text.txt": b"text",
    "zeros.txt": bytes(500),
    "empty": b"",
}
FORMS: dict[str, Callable[[str, bytes], dict[str, bytes]]] = {
    "plain": lambda name, data: {name: data},
    "gz": lambda name, data: {f"{name}.gz": gzip.compress(data)},
    "bz2": lambda name, data: {f"{name}.bz2": bz2.compress(data)},
    "xz": lambda name, data: {f"{name}.xz": lzma.compress(data)},
    "zst": lambda name, data: {f"{name}.zst": zst.compress(data)},
    "zip": lambda name, data: {"p.zip": zipped({"cabinet": CABINET, name: data})},
    "tar": lambda name, data: {"p.tar": packed({"cabinet": CABINET, name: data}, Kind.TAR)},
    "tar.gz": lambda name, data: {"p.tar.gz": gzip.compress(packed({name: data}, Kind.TAR))},
    "gz in zip": lambda name, data: {"p.zip": zipped({f"{name}.gz": gzip.compress(data)})},
    "zip in zip": lambda name, data: {"p.zip": zipped({"q.zip": zipped({name: data})})},
}


def causes(root: Path, files: dict[str, bytes]) -> dict[str, set[str]]:
    """Return the causes with which files are left out: as single packets, in a packet folder, and beside plain files."""
    (root / "inbox").mkdir(parents=True)
    for name, data in files.items():
        (root / "inbox" / name).write_bytes(data)
    paths = [str(root / "inbox" / name) for name in files]
    folder = [(str(root / "inbox"), "")]
    archives = [(path, f"{Path(path).name}!") for path in paths if is_archive(path)]
    readings = {
        "single": [ingest([(path, "")], f"{root}/single{index}") for index, path in enumerate(paths)],
        "folder": [ingest(folder, f"{root}/folder")],
        "several": [ingest(folder + archives, f"{root}/several", skip=[path for path, _ in archives])],
    }
    return {
        place: {cause for reading in of_place for _, cause in reading.left_out()}
        | {"damage" for reading in of_place if reading.damage()}
        for place, of_place in readings.items()
    }


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", LEFT_OUT)
def test_images_are_left_out_with_the_same_report_in_each_form_and_place(tmp_path: Path, name: str, form: str) -> None:
    data, cause = LEFT_OUT[name]
    for place, reported in causes(tmp_path, FORMS[form](name, data)).items():
        # the packet itself cannot be read
        assert reported in ({cause}, {"damage"}) if form == "plain" else reported == {cause}, place


@pytest.mark.parametrize("form", FORMS)
def test_files_that_cannot_contain_images_are_not_reported(tmp_path: Path, form: str) -> None:
    for name, data in NOT_LEFT_OUT.items():
        assert causes(tmp_path / name, FORMS[form](name, data)) == {
            "single": set(),
            "folder": set(),
            "several": set(),
        }, name


def test_a_cabinet_before_another_archive_does_not_conceal_it(tmp_path: Path) -> None:
    for members in ({"a.cab": CABINET, "b.rar": RAR}, {"a.rar": RAR, "b.cab": CABINET}):
        root = tmp_path / next(iter(members))
        found = causes(root, {"p.zip": zipped({"q.zip": zipped(members)})})
        assert found == {place: {"foreign-archive"} for place in ("single", "folder", "several")}


def test_each_copy_of_an_unopened_archive_names_its_own_member(inbox: Path) -> None:
    archive = zipped({"q.zip": zipped({"images.rar": RAR})})
    write_folder({"a.zip": archive, "m/b.zip": archive}, inbox)
    reading = ingest([(str(inbox), "")], str(inbox.parent / "staging"))
    for row in map(reading.row, range(2)):
        inner = f"{row.path}!q.zip!images.rar"
        assert row.reason == f"kept whole, not opened: {inner}: a RAR archive, which qxbatch does not open"


def test_a_copy_named_like_a_part_of_a_split_archive_is_a_part(inbox: Path) -> None:
    damaged = zipped({"a.txt": b"text" * 100})[:-30]
    write_folder({"a.zip": damaged, "b.zip.001": damaged}, inbox)
    reading = ingest([(str(inbox), "")], str(inbox.parent / "staging"))
    first, second = (reading.row(index).reason for index in range(2))
    assert "split" not in first
    assert "one part of a split archive" in second


@pytest.mark.parametrize("nested", [False, True], ids=["outer", "nested"])
def test_images_behind_an_archive_without_images_are_noted(inbox: Path, nested: bool) -> None:
    data = packed({"readme.txt": b"text"}, Kind.TAR) + zipped(T1)
    if nested:
        data = zipped({"d.tar": data})
    for name in ("single", "folder", "several"):
        root = inbox.parent / name
        (root / "inbox").mkdir(parents=True)
        path = root / "inbox" / "disc"
        path.write_bytes(data)
        sources = {
            "single": [(str(path), "")],
            "folder": [(str(path.parent), "")],
            "several": [(str(path.parent), ""), (str(path), "disc!")],
        }
        skip = [str(path)] if name == "several" else []
        reading = ingest(sources[name], str(root / "staging"), skip=skip)
        assert reading.skipped_bytes_may_contain_images(), name


def test_images_behind_a_compressed_text_are_noted(inbox: Path) -> None:
    (inbox / "text.gz").write_bytes(gzip.compress(b"text") + zipped(T1))
    assert read(inbox, []).skipped_bytes_may_contain_images()
