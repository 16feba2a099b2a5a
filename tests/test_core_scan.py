"""Many headers at once: which files, in which order, and what is said of those without a header."""

import gzip
import os
from pathlib import Path

import pytest

from qxbatch import _core
from tests.build.dicom import MrSeries
from tests.build.objects import dicomdir


def paths(scan: _core.Scan) -> list[str]:
    """Return all paths of a scan."""
    return [scan.path(index) for index in range(len(scan))]


def problems(scan: _core.Scan) -> dict[str, str | None]:
    """Return name -> problem."""
    return {Path(scan.path(index)).name: scan.problem(index) for index in range(len(scan))}


def test_files_come_in_the_order_of_their_whole_paths(tmp_path: Path) -> None:
    for name in ("a/z", "a-b", "a.b", "a/b/c", "a0", "b/10", "b/2", "Z"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    found = paths(_core.scan([str(tmp_path)]))
    assert found == sorted(str(path) for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_the_answer_does_not_depend_on_threads(tmp_path: Path, threads: int) -> None:
    for number in range(1, 9):
        MrSeries(number=number, slices=60).write(tmp_path / f"{number % 3}" / f"s{number}")
    scan = _core.scan([str(tmp_path)], threads=threads)
    assert paths(scan) == sorted(str(path) for path in tmp_path.rglob("*") if path.is_file())
    groups = scan.groups()
    assert [(group.number, group.files) for group in groups] == [(n, 60) for n in range(1, 9)]
    for number, group in enumerate(groups):
        members = scan.group_files(number)
        assert [Path(scan.path(index)).name for index in members] == [f"IM{k:04}" for k in range(1, 61)]
        assert group.header.get("InstanceNumber") == 1
        assert group.size == sum(Path(scan.path(index)).stat().st_size for index in members)
        assert (group.patient, group.started) == ("p001", "20240115101500")


def test_what_has_no_header_says_why(tmp_path: Path) -> None:
    data = next(iter(MrSeries(slices=1).files().values()))
    (tmp_path / "whole").write_bytes(data)
    (tmp_path / "gzipped").write_bytes(gzip.compress(data))
    (tmp_path / "cut").write_bytes(data[:400])
    (tmp_path / "cut.gz").write_bytes(gzip.compress(data)[:200])
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text").write_text("a readme")
    (tmp_path / "image.nii.gz").write_bytes(gzip.compress(bytes(1000)))
    (tmp_path / "link").symlink_to("whole")
    (tmp_path / "nowhere").symlink_to("absent")
    (tmp_path / "round").symlink_to(".")
    os.mkfifo(tmp_path / "pipe")
    found = problems(_core.scan([str(tmp_path)]))
    assert [name for name, problem in found.items() if problem is None] == ["gzipped", "link", "whole"]
    assert found["text"] == found["empty"] == found["image.nii.gz"] == "no DICOM"
    assert "unreadable DICOM" in (found["cut"] or "")
    assert found["cut.gz"] is not None
    assert found["nowhere"] == "a link that leads nowhere"
    assert found["round"] == "a link to a folder, not followed"
    assert found["pipe"] == "no regular file"


def test_names_of_any_bytes_come_back_as_python_writes_them(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff\xfe\n"
    Path(os.fsdecode(name)).write_text("x")
    assert [os.fsencode(path) for path in paths(_core.scan([str(tmp_path)]))] == [name]


def test_a_path_of_the_list_that_cannot_be_read_is_an_os_error(tmp_path: Path) -> None:
    absent = str(tmp_path / "absent")
    with pytest.raises(FileNotFoundError) as caught:
        _core.scan([str(tmp_path), absent])
    assert caught.value.filename == absent
    with pytest.raises(OSError, match="Invalid argument"):
        _core.scan(["a\0b"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_below_that_cannot_be_read_is_a_problem_of_its_own(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    (tmp_path / "open").write_text("x")
    closed.chmod(0)
    try:
        scan = _core.scan([str(tmp_path)])
        assert len(scan) == 2
        assert "denied" in (scan.problem(0) or "")
        with pytest.raises(PermissionError):
            _core.scan([str(closed)])
    finally:
        closed.chmod(0o700)


def test_files_and_folders_may_be_listed_and_none_is_read_twice(tmp_path: Path) -> None:
    files = MrSeries(slices=3).write(tmp_path / "b")
    scan = _core.scan([str(files[1]), str(tmp_path), str(files[0]), str(tmp_path)])
    assert paths(scan) == [str(path) for path in files]
    listed = _core.scan([str(files[2]), str(files[0])])
    assert paths(listed) == [str(files[0]), str(files[2])]
    assert len(_core.scan([])) == 0


def test_a_dicomdir_is_no_member_of_a_series(tmp_path: Path) -> None:
    files = MrSeries(slices=2).write(tmp_path)
    (tmp_path / "DICOMDIR").write_bytes(dicomdir(MrSeries()))
    scan = _core.scan([str(tmp_path)])
    assert scan.problem(paths(scan).index(str(tmp_path / "DICOMDIR"))) is None
    assert [group.files for group in scan.groups()] == [len(files)]


def test_a_monitor_counts_and_stops(tmp_path: Path) -> None:
    files = MrSeries(slices=5).write(tmp_path)
    monitor = _core.Monitor()
    _core.scan([str(tmp_path)], monitor=monitor)
    assert monitor.files == 5
    assert monitor.bytes == sum(path.stat().st_size for path in files)
    assert not monitor.cancelled
    monitor.cancel()
    with pytest.raises(_core.CancelledError):
        _core.scan([str(tmp_path)], monitor=monitor)


def test_an_index_beyond_the_end_is_an_index_error(tmp_path: Path) -> None:
    scan = _core.scan([str(tmp_path)])
    for call in (scan.path, scan.header, scan.problem, scan.group_files):
        with pytest.raises(IndexError):
            call(0)


def test_a_very_deep_tree_is_walked(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(300):
        deep = deep / "d"
    MrSeries(slices=1).write(deep)
    assert [group.files for group in _core.scan([str(tmp_path)], threads=2).groups()] == [1]
