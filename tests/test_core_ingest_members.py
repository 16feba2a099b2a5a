"""Each kind of member gets a fate and a reason."""

import bz2
import gzip
import lzma
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from qxbatch.core import Header, ingest
from tests.build import lzw, objects, zst
from tests.build.broken import odd_names
from tests.build.dicom import MrSeries
from tests.build.ingested import digest, ingested
from tests.build.packets import Kind, Tree, write_folder, write_packet

IMAGE = next(iter(MrSeries(slices=1).files().values()))
PAR = b"# === DATA DESCRIPTION FILE ================\r\n# CAUTION - Investigational device\r\n"
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zst.compress,
    "Z": lzw.compress,
}
KINDS = [Kind.FOLDER, Kind.ZIP, Kind.TAR_GZ]


def packet(tree: Tree, work: Path, kind: Kind = Kind.FOLDER) -> Path:
    return write_packet(tree, work, "p", kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ending", sorted(COMPRESSIONS))
def test_compressed_dicom_is_unpacked_and_sorted(ending: str, kind: Kind, tmp_path: Path) -> None:
    data = COMPRESSIONS[ending](IMAGE)
    row = ingested(packet({f"1.dcm.{ending}": data}, tmp_path, kind), tmp_path).row(f"1.dcm.{ending}")
    assert (row.kind, row.fate, row.sha256, row.content_sha256) == ("dicom", "sorted", digest(data), digest(IMAGE))
    assert row.size == len(data)
    assert row.at.endswith(".dcm")


@pytest.mark.parametrize("kind", KINDS)
def test_gzipped_dicom_stays_gzipped_if_requested(kind: Kind, tmp_path: Path) -> None:
    result = ingested(packet({"1.gz": gzip.compress(IMAGE)}, tmp_path, kind), tmp_path, gunzip=False)
    row = result.row("1.gz")
    assert row.at.endswith(".dcm.gz")
    assert gzip.decompress((result.root / row.at).read_bytes()) == IMAGE
    assert row.content_sha256 == digest(IMAGE)


@pytest.mark.parametrize("kind", KINDS)
def test_other_gzipped_files_are_kept_unchanged(kind: Kind, tmp_path: Path) -> None:
    image = gzip.compress(b"\x5c\x01\0\0" + bytes(1000))
    result = ingested(packet({"a/x.nii.gz": image, "a/1": IMAGE}, tmp_path, kind), tmp_path)
    assert result.kept() == {"a/x.nii.gz": image}
    assert result.row("a/x.nii.gz").reason == "neither DICOM nor PAR/REC"


@pytest.mark.parametrize("end", range(1, 40))
def test_truncated_gzipped_dicom_is_refused(end: int, tmp_path: Path) -> None:
    data = gzip.compress(IMAGE)
    result = ingested(packet({"1.gz": data[: len(data) - end * 16]}, tmp_path), tmp_path)
    assert result.fates() == {"1.gz": "refused"}
    assert result.reading.damage() == [f"1.gz: {result.row('1.gz').reason}"]


@pytest.mark.parametrize("kind", KINDS)
def test_par_and_rec_are_sorted_without_a_series(kind: Kind, tmp_path: Path) -> None:
    tree = {"a/X.PAR": PAR, "a/X.rec": b"\x1f\x8b\x08 by chance", "a/Y.rec.gz": gzip.compress(bytes(99))}
    result = ingested(packet(tree, tmp_path, kind), tmp_path)
    files = [row for row in result.rows if row.kind != "directory"]
    assert [(row.kind, row.fate) for row in files] == [("par", "sorted"), ("rec", "sorted"), ("rec", "sorted")]
    assert (result.root / result.row("a/Y.rec.gz").at).read_bytes() == bytes(99)


def test_an_appledouble_file_of_a_rec_is_kept(tmp_path: Path) -> None:
    result = ingested(packet({"__MACOSX/._X.REC": b"\0\5\x16\7\0\2\0\0Mac OS X"}, tmp_path, Kind.ZIP), tmp_path)
    row = result.row("__MACOSX/._X.REC")
    assert (row.kind, row.fate, row.reason) == ("other", "kept", "an AppleDouble file of macOS")


@pytest.mark.parametrize("kind", KINDS)
def test_dicom_without_identifiers_is_kept_with_its_reason(kind: Kind, tmp_path: Path) -> None:
    series = MrSeries(slices=1)
    without_class_and_rows = {"SOPClassUID": None, "Rows": None}
    tree = {
        "DICOMDIR": objects.dicomdir(series),
        "no-series": next(
            iter(series.with_(changes={**without_class_and_rows, "SeriesInstanceUID": None}).files().values())
        ),
        "no-instance": next(
            iter(series.with_(changes={**without_class_and_rows, "SOPInstanceUID": ""}).files().values())
        ),
    }
    result = ingested(packet(tree, tmp_path, kind), tmp_path)
    rows = {row.path: (row.kind, row.fate, row.reason) for row in result.rows}
    assert rows == {
        "DICOMDIR": ("dicomdir", "kept", "a DICOMDIR"),
        "no-series": ("dicom", "kept", "DICOM without SeriesInstanceUID, SOPClassUID and Rows"),
        "no-instance": ("dicom", "kept", "DICOM without SOPInstanceUID, SOPClassUID and Rows"),
    }


def test_equal_files_are_duplicates_of_the_first_path(tmp_path: Path) -> None:
    result = ingested(packet({"b/2": IMAGE, "a/1": IMAGE, "c.gz": gzip.compress(IMAGE)}, tmp_path), tmp_path)
    assert result.fates() == {"a/1": "sorted", "b/2": "duplicate", "c.gz": "duplicate"}
    assert result.row("b/2").reason == "the same bytes as a/1"
    assert result.row("b/2").at == result.row("a/1").at
    assert result.row("b/2").series == 10
    assert [group.files for group in result.reading.groups()] == [1]


def test_different_files_with_the_same_uid_are_numbered_in_path_order(tmp_path: Path) -> None:
    tree = {name: IMAGE + bytes([0, 0] * k) for k, name in enumerate(["c", "a", "b"])}
    result = ingested(packet(tree, tmp_path), tmp_path)
    names = {path: Path(result.row(path).at).name for path in tree}
    assert names["b"] == names["a"].replace(".dcm", "_2.dcm")
    assert names["c"] == names["a"].replace(".dcm", "_3.dcm")


def test_an_unreadable_header_is_listed_until_a_header_is_supplied(tmp_path: Path) -> None:
    broken = bytes(128) + b"DICM" + b"\x08\x00\x16\x00UI\xff\xff1.2"
    staging = tmp_path / "staging"
    reading = ingest([(str(packet({"x": broken}, tmp_path)), "")], str(staging))
    assert reading.unparsed_dicom() == [0]
    row = reading.row(0)
    assert (row.kind, row.fate, row.group) == ("other", "kept", -1)
    assert "header cannot be read" in row.reason
    assert Path(reading.staged_path(0)).read_bytes() == broken
    values = {"SeriesInstanceUID": "1.2.3", "SOPInstanceUID": "1.2.3.4", "SeriesNumber": "7"}
    reading.set_header(0, Header.from_values(values))
    row = reading.row(0)
    assert (row.kind, row.fate, row.group) == ("dicom", "sorted", 0)
    assert reading.unparsed_dicom() == []
    assert [group.number for group in reading.groups()] == [7]
    with pytest.raises(ValueError, match="row 0"):
        reading.set_header(0, Header.from_values(values))


def test_links_devices_and_empty_folders_get_a_row(tmp_path: Path) -> None:
    folder = write_folder({"sub/1": IMAGE}, tmp_path / "p")
    (folder / "empty" / "deep").mkdir(parents=True)
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "folder-link").symlink_to(folder)
    os.mkfifo(folder / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket"))
        result = ingested(folder, tmp_path)
    rows = {row.path: (row.kind, row.fate) for row in result.rows}
    assert rows == {
        "dangling": ("link", "nodata"),
        "empty/deep": ("directory", "nodata"),
        "fifo": ("device", "nodata"),
        "folder-link": ("link", "nodata"),
        "link": ("link", "nodata"),
        "socket": ("device", "nodata"),
        "sub/1": ("dicom", "sorted"),
    }
    assert result.row("link").reason == "a symbolic link to /etc/passwd"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_files_without_read_permission_are_refused(tmp_path: Path) -> None:
    folder = write_folder({"a/1": IMAGE, "b": b"x"}, tmp_path / "p")
    (folder / "a").chmod(0)
    (folder / "b").chmod(0)
    result = ingested(folder, tmp_path)
    (folder / "a").chmod(0o700)
    assert result.fates() == {"a": "refused", "b": "refused"}
    assert "Permission denied" in result.row("b").reason


def test_unusual_names_in_a_folder_stay_distinct_and_are_escaped(tmp_path: Path) -> None:
    paths = odd_names(tmp_path / "p", b"same words")
    result = ingested(tmp_path / "p", tmp_path)
    assert len(result.rows) == len(paths) == len(result.kept())
    for row in result.rows:
        assert not set(row.path) & set("\t\n\r")
        row.path.encode()
        assert row.at.isprintable()


@pytest.mark.parametrize("hard_link", [False, True])
def test_reading_does_not_change_loose_files(hard_link: bool, tmp_path: Path) -> None:
    folder = packet({"1": IMAGE, "notes": b"x"}, tmp_path)
    result = ingested(folder, tmp_path, hard_link=hard_link)
    assert (folder / "1").read_bytes() == IMAGE
    assert (folder / "1").samefile(result.root / result.row("1").at) is hard_link


def test_large_members_are_sorted_like_small_ones(tmp_path: Path) -> None:
    # A member that exceeds its thread's share of 64 MiB is written to disk first.
    large = next(iter(MrSeries(slices=1, rows=4500, columns=4500).files().values()))
    assert len(large) > 33 << 20
    tree = {"large": large, "zeros": bytes(35 << 20), "packed.gz": gzip.compress(large + bytes(2), 1)}
    for kind in (Kind.FOLDER, Kind.ZIP, Kind.TAR_GZ):
        work = tmp_path / kind.name
        work.mkdir()
        result = ingested(write_packet(tree, work, "p", kind), work)
        assert result.fates() == {"large": "sorted", "zeros": "kept", "packed.gz": "sorted"}
        assert result.row("large").content_sha256 == digest(large)
        assert result.row("packed.gz").content_sha256 == digest(large + bytes(2))
        assert result.row("zeros").sha256 == digest(bytes(35 << 20))
