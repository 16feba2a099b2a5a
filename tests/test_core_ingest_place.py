"""Files of a reading are placed in a session folder."""

from pathlib import Path

import pytest

from qxbatch.core import CancelledError, Monitor, Reading, ingest
from tests.build.dicom import MrSeries
from tests.build.ingested import ingested
from tests.build.other_disk import disk_other_than, has_other_disk
from tests.build.packets import Kind, Tree, write_packet

FILES = MrSeries(slices=2).files()
IMAGE = FILES["IM0001"]


def reading_of(tree: Tree, work: Path, kind: Kind = Kind.ZIP) -> Reading:
    packet = write_packet(tree, work, "p", kind)
    return ingest([(str(packet), "")], str(work / "staging"))


def test_series_with_the_same_number_share_a_folder(tmp_path: Path) -> None:
    tree = {"a": IMAGE, "b": next(iter(MrSeries(number=4).files().values()))}
    reading = reading_of(tree, tmp_path)
    reading.place_series(str(tmp_path / "s"), 50, "label", [0, 1])
    folder = tmp_path / "s/dicom/50"
    assert len(list(folder.iterdir())) == 2
    assert {reading.row(k).series for k in range(2)} == {50}


def test_placing_again_does_not_overwrite(tmp_path: Path) -> None:
    reading = reading_of({"a": IMAGE}, tmp_path)
    second = ingest([(str(tmp_path / "p.zip"), "")], str(tmp_path / "second"))
    reading.place_series(str(tmp_path / "s"), 30, "x", [0])
    second.place_series(str(tmp_path / "s"), 30, "x", [0])
    assert len(list((tmp_path / "s/dicom/30").iterdir())) == 2


def test_long_labels_are_shortened_to_distinct_names(tmp_path: Path) -> None:
    reading = reading_of(FILES, tmp_path)
    reading.place_series(str(tmp_path / "s"), 30, "é" * 200, [0])
    names = [path.name for path in (tmp_path / "s/dicom/30").iterdir()]
    assert len(set(names)) == 2
    assert all(len(name.encode()) <= 255 and name.endswith(".dcm") for name in names)


@pytest.mark.parametrize("path", ["", "/etc/x", "../x", "a/../../x", "a//x", "a/./x"])
def test_a_row_is_not_placed_outside_the_session(path: str, tmp_path: Path) -> None:
    reading = reading_of({"note": b"x"}, tmp_path)
    with pytest.raises(OSError, match="not a relative path"):
        reading.place_row(0, str(tmp_path / "s"), path, 0)
    assert reading.staged_path(0)


def test_a_row_does_not_overwrite_an_existing_file(tmp_path: Path) -> None:
    reading = reading_of({"note": b"x"}, tmp_path)
    (tmp_path / "s").mkdir()
    (tmp_path / "s/existing").write_text("first")
    with pytest.raises(FileExistsError):
        reading.place_row(0, str(tmp_path / "s"), "existing", 0)
    assert (tmp_path / "s/existing").read_text() == "first"


def test_kept_files_whose_escaped_names_are_equal_are_all_kept(tmp_path: Path) -> None:
    tree = {"a/x.txt": b"1", "/a/x.txt": b"2", "../a/x.txt": b"3", "a/x_2.txt": b"4", "A/X.TXT": b"5"}
    result = ingested(write_packet(tree, tmp_path, "p", Kind.TAR), tmp_path)
    assert sorted(result.kept().values()) == [b"1", b"2", b"3", b"4", b"5"]
    assert result.kept()["A/X.TXT"] == b"5"
    assert result.kept()["a/x.txt"] == b"3", "the first in path order"


def test_very_deep_and_very_long_paths_are_kept(tmp_path: Path) -> None:
    tree = {"d/" * 1500 + "x": b"deep", "n" * 300 + ".txt": b"long", "n" * 300 + "2.txt": b"too"}
    result = ingested(write_packet(tree, tmp_path, "p", Kind.TAR), tmp_path)
    assert sorted(result.kept().values()) == [b"deep", b"long", b"too"]


@pytest.mark.skipif(not has_other_disk(), reason="this machine has no second file system")
def test_files_are_copied_to_a_session_on_another_file_system(tmp_path: Path) -> None:
    reading = reading_of({"1": IMAGE, "note": b"x"}, tmp_path)
    root = disk_other_than(tmp_path) / f"qxbatch-{tmp_path.name}-{id(reading)}"
    try:
        reading.place_series(str(root), 30, "x", [0])
        reading.place_in_inbox(str(root), [1])
        assert (root / "inbox/note").read_bytes() == b"x"
        assert not any(path.is_file() for path in (tmp_path / "staging").rglob("*"))
    finally:
        for path in sorted(root.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        root.rmdir()


def test_a_cancelled_reading_stops(tmp_path: Path) -> None:
    monitor = Monitor()
    monitor.cancel()
    for kind in (Kind.FOLDER, Kind.ZIP, Kind.TAR_GZ):
        packet = write_packet(FILES, tmp_path, f"q{kind.name}", kind)
        with pytest.raises(CancelledError):
            ingest([(str(packet), "")], str(tmp_path / kind.name), monitor=monitor)


def test_the_monitor_counts_files_and_bytes(tmp_path: Path) -> None:
    monitor = Monitor()
    packet = write_packet(FILES, tmp_path, "p", Kind.TAR)
    ingest([(str(packet), "")], str(tmp_path / "staging"), monitor=monitor)
    assert (monitor.files, monitor.bytes) == (2, sum(map(len, FILES.values())))


def test_invalid_rows_and_groups_raise_index_error(tmp_path: Path) -> None:
    reading = reading_of({"1": IMAGE}, tmp_path)
    with pytest.raises(IndexError):
        reading.row(1)
    with pytest.raises(IndexError):
        reading.group_rows(1)
    with pytest.raises(IndexError):
        reading.place_series(str(tmp_path / "s"), 10, "x", [1])
    header = reading.header(0)
    assert header is not None
    assert header.get("SeriesNumber") == 3
