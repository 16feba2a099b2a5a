"""Real packets in every archive format."""

import tarfile
from collections import Counter
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread

from tests.build.ingested import ingested
from tests.build.packets import Kind, read_tree, write_packet

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def nih(data: Path) -> dict[str, bytes]:
    return read_tree(data / "dcm_qa_nih" / "In")


def series_of(tree: dict[str, bytes]) -> Counter[tuple[str, str, int]]:
    """Count files by study, series and number with pydicom."""
    keywords = ["StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber"]
    counts: Counter[tuple[str, str, int]] = Counter()
    for data in tree.values():
        if data[128:132] == b"DICM":
            header = dcmread(BytesIO(data), stop_before_pixels=True, specific_tags=keywords)
            counts[tuple(header[keyword].value for keyword in keywords)] += 1
    return counts


@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP, Kind.TAR, Kind.TGZ, Kind.TAR_BZ2, Kind.TAR_XZ, Kind.TAR_ZST])
def test_every_archive_format_gives_the_same_series(kind: Kind, nih: dict[str, bytes], tmp_path: Path) -> None:
    result = ingested(write_packet(nih, tmp_path, "p", kind), tmp_path)
    files = [row for row in result.rows if row.kind != "directory"]
    assert sorted(row.path for row in files) == sorted(nih)
    series = {(group.study_uid, group.series_uid, group.number): group.files for group in result.reading.groups()}
    assert series == series_of(nih)
    assert len(series) == 8
    assert len(result.kept()) == 10
    assert result.reading.damage() == []


def sets(data: Path) -> list[Path]:
    return sorted(path for path in data.iterdir() if path.is_dir())


def test_every_sample_set_is_read_without_damage(data: Path, tmp_path: Path) -> None:
    for packet in sets(data):
        result = ingested(packet, tmp_path / packet.name)
        outer_rows = [row for row in result.rows if "!" not in row.path]
        files = [path for path in packet.rglob("*") if path.is_file() and not path.is_symlink()]
        assert len([row for row in outer_rows if row.fate != "nodata"]) == len(files), packet.name
        assert result.reading.damage() == [], packet.name


def test_an_archived_set_in_a_packet_is_opened(data: Path, tmp_path: Path) -> None:
    with tarfile.open(data / "dcm_qa_stc" / "In.tar.bz2") as archive:
        names = [member.name for member in archive if member.isfile()]
    result = ingested(data / "dcm_qa_stc", tmp_path)
    assert result.row("In.tar.bz2").fate == "opened"
    inner_paths = [
        row.path for row in result.rows if row.path.startswith("In.tar.bz2!") and row.kind not in {"directory"}
    ]
    assert inner_paths == [f"In.tar.bz2!{name}" for name in names]
