"""One tree, packed in every way, gives one reading."""

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


def told(result: Ingested) -> object:
    """What has to be the same for every kind of packet."""
    files = sorted(
        (row.path, row.size, row.sha256, row.kind, row.fate, row.at) for row in result.rows if row.kind != "directory"
    )
    return files, result.series(), result.kept()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> object:
    work = tmp_path_factory.mktemp("expected")
    return told(ingested(write_packet(TREE, work, "p", Kind.FOLDER), work))


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.name)
def test_the_same_tree_gives_the_same_reading(kind: Kind, expected: object, tmp_path: Path) -> None:
    packet = write_packet(TREE, tmp_path, "packet", kind)
    result = ingested(packet, tmp_path)
    assert told(result) == expected
    assert result.reading.damage() == []


def test_the_tree_is_sorted_and_kept(tmp_path: Path) -> None:
    result = ingested(write_packet(TREE, tmp_path, "p", Kind.FOLDER), tmp_path)
    assert [(each.number, each.files) for each in result.reading.groups()] == [(3, 3), (4, 2)]
    assert result.kept() == {"a/notes.txt": b"scanned on Monday", "a/.hidden": b"dot", "empty": b""}
    assert result.row("a/IM0001").at.startswith("dicom/10/P001-10-")


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_number_of_threads_changes_nothing(threads: int, expected: object, tmp_path: Path) -> None:
    packet = write_packet(TREE, tmp_path, "p", Kind.TAR_GZ)
    assert told(ingested(packet, tmp_path, threads=threads)) == expected


def test_a_wrong_extension_does_not_matter(expected: object, tmp_path: Path) -> None:
    packet = write_packet(TREE, tmp_path, "p", Kind.TAR_XZ).rename(tmp_path / "p.zip")
    assert sniff(str(packet)) == "xz"
    assert told(ingested(packet, tmp_path)) == expected


@pytest.mark.parametrize(
    ("kind", "found"),
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
def test_sniff_tells_packets_by_content(kind: Kind, found: str, tmp_path: Path) -> None:
    assert sniff(str(write_packet(TREE, tmp_path, "p", kind).rename(tmp_path / "name"))) == found


def test_sniff_tells_single_files(tmp_path: Path) -> None:
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
    found = {name: sniff(str(tmp_path / name)) for name in files}
    assert found == dict(zip(files, ["dicom", "dicom", "par", "rec", "other", "empty"], strict=True))


@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP, Kind.TAR_GZ])
def test_prefixes_stand_before_the_paths(kind: Kind, tmp_path: Path) -> None:
    one = write_packet(TREE, tmp_path, "one", kind)
    two = write_packet(TREE, tmp_path, "two", kind)
    reading = ingest([(str(one), "one"), (str(two), "two/")], str(tmp_path / "staging"))
    rows = [reading.row(k) for k in range(len(reading))]
    assert {row.path.split("/")[0] for row in rows} == {"one", "two"}
    # The second packet's files are the first's.
    assert {row.path.split("/")[0] for row in rows if row.fate == "duplicate"} == {"two"}
    assert [group.files for group in reading.groups()] == [3, 2]


def test_a_single_file_is_a_packet(tmp_path: Path) -> None:
    packet = tmp_path / "image"
    packet.write_bytes(next(iter(MrSeries().files().values())))
    result = ingested(packet, tmp_path)
    assert result.fates() == {"image": "sorted"}


def test_a_missing_packet_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        ingest([(str(tmp_path / "gone"), "")], str(tmp_path / "staging"))
    assert caught.value.filename == str(tmp_path / "gone")


def test_staging_that_cannot_be_made_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    packet = write_packet(TREE, tmp_path, "p", Kind.ZIP)
    with pytest.raises(NotADirectoryError) as caught:
        ingest([(str(packet), "")], str(tmp_path / "file" / "staging"))
    assert str(caught.value.filename).startswith(str(tmp_path / "file"))
