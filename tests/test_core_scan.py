"""Headers of many files are read in a fixed order, and files without a header get a reason."""

import gzip
import os
from pathlib import Path

import pytest

from qxbatch import _core
from tests.build.dicom import MrSeries
from tests.build.objects import dicomdir


def paths(scan: _core.ScannedFiles) -> list[str]:
    """Return all paths of a scan."""
    return [scan.path(index) for index in range(len(scan))]


def problems(scan: _core.ScannedFiles) -> dict[str, str | None]:
    """Return the problem of each file by name."""
    return {Path(scan.path(index)).name: scan.problem(index) for index in range(len(scan))}


def test_files_are_sorted_by_their_full_paths(tmp_path: Path) -> None:
    for name in ("a/z", "a-b", "a.b", "a/b/c", "a0", "b/10", "b/2", "Z"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    scanned = paths(_core.scan_files([str(tmp_path)]))
    assert scanned == sorted(str(path) for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_the_result_does_not_depend_on_the_number_of_threads(tmp_path: Path, threads: int) -> None:
    for number in range(1, 9):
        MrSeries(number=number, slices=60).write(tmp_path / f"{number % 3}" / f"s{number}")
    scan = _core.scan_files([str(tmp_path)], threads=threads)
    assert paths(scan) == sorted(str(path) for path in tmp_path.rglob("*") if path.is_file())
    groups = scan.groups()
    assert [(group.number, group.files) for group in groups] == [(n, 60) for n in range(1, 9)]
    for number, group in enumerate(groups):
        members = scan.group_files(number)
        assert [Path(scan.path(index)).name for index in members] == [f"IM{k:04}" for k in range(1, 61)]
        assert group.header.get("InstanceNumber") == 1
        assert group.size == sum(Path(scan.path(index)).stat().st_size for index in members)
        assert (group.folded_patient_id, group.start_time) == ("p001", "20240115101500")


def test_files_without_a_header_have_a_reason(tmp_path: Path) -> None:
    data = next(iter(MrSeries(slices=1).files().values()))
    (tmp_path / "whole").write_bytes(data)
    (tmp_path / "gzipped").write_bytes(gzip.compress(data))
    (tmp_path / "cut").write_bytes(data[:400])
    (tmp_path / "cut.gz").write_bytes(gzip.compress(data)[:200])
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text").write_text("a readme")
    (tmp_path / "image.nii.gz").write_bytes(gzip.compress(bytes(1000)))
    (tmp_path / "link").symlink_to("whole")
    (tmp_path / "nowhere").symlink_to("missing")
    (tmp_path / "round").symlink_to(".")
    os.mkfifo(tmp_path / "pipe")
    reasons = problems(_core.scan_files([str(tmp_path)]))
    assert [name for name, problem in reasons.items() if problem is None] == ["gzipped", "link", "whole"]
    assert reasons["text"] == reasons["empty"] == reasons["image.nii.gz"] == "no DICOM"
    assert "unreadable DICOM" in (reasons["cut"] or "")
    assert reasons["cut.gz"] is not None
    assert reasons["nowhere"] == "a link that leads nowhere"
    assert reasons["round"] == "a link to a folder, not followed"
    assert reasons["pipe"] == "not a regular file"


def test_names_that_are_not_utf8_are_returned_as_in_python(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff\xfe\n"
    Path(os.fsdecode(name)).write_text("x")
    assert [os.fsencode(path) for path in paths(_core.scan_files([str(tmp_path)]))] == [name]


def test_an_unreadable_path_raises_os_error(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    with pytest.raises(FileNotFoundError) as caught:
        _core.scan_files([str(tmp_path), missing])
    assert caught.value.filename == missing
    with pytest.raises(OSError, match="Invalid argument"):
        _core.scan_files(["a\0b"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_an_unreadable_subfolder_has_a_problem(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    (tmp_path / "open").write_text("x")
    closed.chmod(0)
    try:
        scan = _core.scan_files([str(tmp_path)])
        assert len(scan) == 2
        assert "denied" in (scan.problem(0) or "")
        with pytest.raises(PermissionError):
            _core.scan_files([str(closed)])
    finally:
        closed.chmod(0o700)


def test_files_and_folders_can_overlap_and_each_file_is_read_once(tmp_path: Path) -> None:
    files = MrSeries(slices=3).write(tmp_path / "b")
    scan = _core.scan_files([str(files[1]), str(tmp_path), str(files[0]), str(tmp_path)])
    assert paths(scan) == [str(path) for path in files]
    listed = _core.scan_files([str(files[2]), str(files[0])])
    assert paths(listed) == [str(files[0]), str(files[2])]
    assert len(_core.scan_files([])) == 0


def test_requested_paths_are_compared_by_their_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OP1", "OP2"):
        MrSeries(slices=1).write(tmp_path / name)
    (tmp_path / "link").symlink_to("OP1")
    monkeypatch.chdir(tmp_path)
    assert sorted(paths(_core.scan_files(["OP1", "OP1/../OP2"]))) == ["OP1/../OP2/IM0001", "OP1/IM0001"]
    assert paths(_core.scan_files(["OP1", "link", "./OP1/"])) == ["OP1/IM0001"]
    assert paths(_core.scan_files([".", "OP1", "OP2"])) == paths(_core.scan_files(["."]))


def test_a_dicomdir_does_not_belong_to_a_series(tmp_path: Path) -> None:
    files = MrSeries(slices=2).write(tmp_path)
    (tmp_path / "DICOMDIR").write_bytes(dicomdir(MrSeries()))
    scan = _core.scan_files([str(tmp_path)])
    assert scan.problem(paths(scan).index(str(tmp_path / "DICOMDIR"))) is None
    assert [group.files for group in scan.groups()] == [len(files)]


def test_the_monitor_counts_files_and_cancels_the_scan(tmp_path: Path) -> None:
    files = MrSeries(slices=5).write(tmp_path)
    monitor = _core.Monitor()
    _core.scan_files([str(tmp_path)], monitor=monitor)
    assert monitor.files == 5
    assert monitor.bytes == sum(path.stat().st_size for path in files)
    assert not monitor.cancelled
    monitor.cancel()
    with pytest.raises(_core.CancelledError):
        _core.scan_files([str(tmp_path)], monitor=monitor)


def test_an_index_beyond_the_end_raises_index_error(tmp_path: Path) -> None:
    scan = _core.scan_files([str(tmp_path)])
    for call in (scan.path, scan.header, scan.problem, scan.group_files):
        with pytest.raises(IndexError):
            call(0)


def test_a_very_deep_tree_is_scanned(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(300):
        deep = deep / "d"
    MrSeries(slices=1).write(deep)
    assert [group.files for group in _core.scan_files([str(tmp_path)], threads=2).groups()] == [1]
