"""The same tree in every archive format gives the same reading."""

from pathlib import Path

import pytest

from qxbatch.core import ingest, sniff
from tests.build.dicom import MrSeries
from tests.build.ingested import Ingested, ingested
from tests.build.packets import Kind, Tree, under, write_packet

TREE: Tree = {
    **under("a", MrSeries(number=3).files()),
    **under("a/b", MrSeries(number=4, slices=2).files()),
    "a/notes.txt": b"scanned on Monday",
    "a/.hidden": b"dot",
    "empty": b"",
}


def comparable(result: Ingested) -> object:
    """Return the facts that must be equal for every kind of packet."""
    files = sorted(
        (row.path, row.size, row.sha256, row.kind, row.fate, row.at) for row in result.rows if row.kind != "directory"
    )
    return files, result.series(), result.kept()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> object:
    work = tmp_path_factory.mktemp("expected")
    return comparable(ingested(write_packet(TREE, work, "p", Kind.FOLDER), work))


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.name)
def test_every_archive_format_gives_the_same_reading(kind: Kind, expected: object, tmp_path: Path) -> None:
    packet = write_packet(TREE, tmp_path, "packet", kind)
    result = ingested(packet, tmp_path)
    assert comparable(result) == expected
    assert result.reading.damage() == []


def test_images_are_sorted_and_other_files_are_kept(tmp_path: Path) -> None:
    result = ingested(write_packet(TREE, tmp_path, "p", Kind.FOLDER), tmp_path)
    assert [(each.number, each.files) for each in result.reading.groups()] == [(3, 3), (4, 2)]
    assert result.kept() == {"a/notes.txt": b"scanned on Monday", "a/.hidden": b"dot", "empty": b""}
    assert result.row("a/IM0001").at.startswith("dicom/10/P001-10-")


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_result_does_not_depend_on_the_number_of_threads(threads: int, expected: object, tmp_path: Path) -> None:
    packet = write_packet(TREE, tmp_path, "p", Kind.TAR_GZ)
    assert comparable(ingested(packet, tmp_path, threads=threads)) == expected


def test_a_wrong_extension_does_not_matter(expected: object, tmp_path: Path) -> None:
    packet = write_packet(TREE, tmp_path, "p", Kind.TAR_XZ).rename(tmp_path / "p.zip")
    assert sniff(str(packet)) == "xz"
    assert comparable(ingested(packet, tmp_path)) == expected


@pytest.mark.parametrize(
    ("kind", "expected_format"),
    [
        (Kind.ZIP, "zip"),
        (Kind.TAR, "tar"),
        (Kind.TGZ, "gzip"),
        (Kind.TAR_BZ2, "bzip2"),
        (Kind.TAR_XZ, "xz"),
        (Kind.TAR_ZST, "zstd"),
        (Kind.TARZ, "compress"),
    ],
)
def test_sniff_recognises_archives_by_content(kind: Kind, expected_format: str, tmp_path: Path) -> None:
    assert sniff(str(write_packet(TREE, tmp_path, "p", kind).rename(tmp_path / "name"))) == expected_format


def test_sniff_recognises_single_files(tmp_path: Path) -> None:
    files = {
        "dicom": next(iter(MrSeries().files().values())),
        "bare": next(iter(MrSeries(meta=False, preamble=False).files().values())),
        "x.PAR": b"# === DATA DESCRIPTION FILE ====\n",
        "x.Rec": b"\x01\x02",
        "x.rec.txt": b"words",
        "nothing": b"",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    kinds = {name: sniff(str(tmp_path / name)) for name in files}
    assert kinds == dict(zip(files, ["dicom", "dicom", "par", "rec", "other", "empty"], strict=True))


@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP, Kind.TAR_GZ])
def test_paths_start_with_the_prefix_of_their_packet(kind: Kind, tmp_path: Path) -> None:
    first = write_packet(TREE, tmp_path, "first", kind)
    second = write_packet(TREE, tmp_path, "second", kind)
    reading = ingest([(str(first), "first"), (str(second), "second/")], str(tmp_path / "staging"))
    rows = [reading.row(k) for k in range(len(reading))]
    assert {row.path.split("/")[0] for row in rows} == {"first", "second"}
    # Both packets contain the same files.
    assert {row.path.split("/")[0] for row in rows if row.fate == "duplicate"} == {"second"}
    assert [group.files for group in reading.groups()] == [3, 2]


def test_a_single_file_is_a_packet(tmp_path: Path) -> None:
    packet = tmp_path / "image"
    packet.write_bytes(next(iter(MrSeries().files().values())))
    result = ingested(packet, tmp_path)
    assert result.fates() == {"image": "sorted"}


def test_a_missing_packet_raises_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        ingest([(str(tmp_path / "missing"), "")], str(tmp_path / "staging"))
    assert caught.value.filename == str(tmp_path / "missing")


def test_a_staging_folder_that_cannot_be_created_raises_an_error_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    packet = write_packet(TREE, tmp_path, "p", Kind.ZIP)
    with pytest.raises(NotADirectoryError) as caught:
        ingest([(str(packet), "")], str(tmp_path / "file" / "staging"))
    assert str(caught.value.filename).startswith(str(tmp_path / "file"))
