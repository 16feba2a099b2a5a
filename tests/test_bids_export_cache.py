"""The cache of file hashes: when a file is read again, and when not."""

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

import qxbatch.bids.files.export_cache as module
from qxbatch.bids.files.export_cache import ExportCache, Stamp
from qxbatch.bids.files.file_hash import file_hash
from qxbatch.bids.files.sources import Sources
from qxbatch.bids.images.facts import images_of
from tests.build.bids import Scan, session
from tests.build.bids_study import BOLD, BidsStudy

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
NOW = 1_700_000_000 * SECOND


@pytest.mark.parametrize(
    ("mtime_ns", "ctime_ns", "is_read_again"),
    [
        (NOW - HOUR, NOW - HOUR, False),
        (NOW - 3 * SECOND, NOW - 3 * SECOND, False),
        (NOW - 2 * SECOND, NOW - 2 * SECOND, True),
        (NOW - HOUR, NOW, True),
        (NOW, NOW - HOUR, True),
        (NOW + HOUR, NOW + HOUR, True),
        (NOW - 1, NOW - 1, False),
    ],
    ids=["old", "3 s", "the step of FAT", "only renamed", "only written", "the clock differs", "in nanoseconds"],
)
def test_a_file_is_read_again_if_an_edit_could_leave_its_times_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mtime_ns: int, ctime_ns: int, *, is_read_again: bool
) -> None:
    file, cache = tmp_path / "x", tmp_path / "cache.json"
    file.write_bytes(b"ours")
    monkeypatch.setattr(Stamp, "of", lambda _status: Stamp(4, mtime_ns, 1, ctime_ns))
    monkeypatch.setattr(module, "time", SimpleNamespace(time_ns=lambda: NOW))
    first = ExportCache(cache)
    before = first.hash_of("x", file, file.stat())
    first.write()
    file.write_bytes(b"edit")
    assert (ExportCache(cache).hash_of("x", file, file.stat()) != before) == is_read_again


def test_age_and_sex_are_not_stored_if_a_new_summary_could_have_the_same_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stamp, "of", lambda _status: Stamp(4, NOW, 1, NOW))
    cache, status = ExportCache(None), tmp_path.stat()
    cache.store_age_and_sex("S1", status, ["30", "F"], NOW)
    assert cache.age_and_sex("S1", status) is None
    cache.store_age_and_sex("S1", status, ["30", "F"], NOW + HOUR)
    assert cache.age_and_sex("S1", status) == ["30", "F"]


@pytest.mark.parametrize(("time_ns", "is_used"), [(NOW - HOUR, False), (NOW - 1, True)], ids=["s", "ns"])
def test_entries_in_whole_seconds_of_an_earlier_version_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, time_ns: int, *, is_used: bool
) -> None:
    file, cache = tmp_path / "x", tmp_path / "cache.json"
    file.write_bytes(b"ours")
    stamp = Stamp(4, time_ns, 1, time_ns)
    monkeypatch.setattr(Stamp, "of", lambda _status: stamp)
    cache.write_text(json.dumps({"files": {"x": [*stamp, "stored"]}, "people": {"S1": [*stamp, "30", "F"]}}))
    assert (ExportCache(cache).hash_of("x", file, file.stat()) == "stored") == is_used
    assert ExportCache(cache).age_and_sex("S1", file.stat()) == (["30", "F"] if is_used else None)


@pytest.fixture
def whole_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give all files the same times in whole seconds, as if all were written in one second, which is not over."""
    now = (time.time_ns() // SECOND + 60) * SECOND
    of = Stamp.of
    monkeypatch.setattr(Stamp, "of", lambda status: of(status)._replace(mtime_ns=now, ctime_ns=now))


@pytest.mark.usefixtures("whole_seconds")
def test_an_edit_in_the_second_of_the_export_is_kept(tmp_path: Path) -> None:
    study = BidsStudy(tmp_path)
    study.add("S1")
    assert study.run().status == 0
    path = study.bids / f"{BOLD}.json"
    edited = path.read_bytes().replace(b"0.03", b"0.04")
    assert edited != path.read_bytes()
    path.write_bytes(edited)
    study.change_rules("task-rest", "task-other")
    run = study.run()
    assert path.read_bytes() == edited
    assert f"left alone: {BOLD}.json" in run.out


@pytest.mark.parametrize("way", ["removed", "replaced"])
def test_an_edit_is_kept_whatever_the_cache_says(tmp_path: Path, way: str) -> None:
    study = BidsStudy(tmp_path)
    study.add("S1")
    assert study.run().status == 0
    path = study.bids / f"{BOLD}.json"
    ours, edited = file_hash(path), path.read_bytes().replace(b"0.03", b"0.04")
    path.write_bytes(edited)
    (cache,) = (study.sessions / ".qxbatch/bids").glob("*.json")
    content = json.loads(cache.read_text())
    content["files"][f"{BOLD}.json"] = [*Stamp.of(path.stat()), ours]
    cache.write_text(json.dumps(content))
    after = "task-eyes_bold" if way == "removed" else 'task-rest_bold"\nset = { Instructions = "rest" }\n#"'
    study.change_rules("task-rest_bold" if way == "removed" else 'task-rest_bold"', after)
    run = study.run()
    assert path.read_bytes() == edited
    assert f"left alone: {BOLD}.json" in run.out


def test_a_file_of_another_size_in_the_data_set_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = BidsStudy(tmp_path)
    study.add("S1")
    assert study.run().status == 0
    path = study.bids / f"{BOLD}.json"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a sparse file
    read: list[Path] = []

    def noted_hash(path: Path) -> str:
        read.append(path)
        return "of a large file" if path.stat().st_size == 1 << 40 else file_hash(path)

    monkeypatch.setattr(module, "file_hash", noted_hash)
    study.change_rules("task-rest", "task-other")
    run = study.run()
    assert path not in read
    assert path.stat().st_size == 1 << 40
    assert f"left alone: {BOLD}.json" in run.out


@pytest.mark.parametrize(
    ("age_ns", "is_new", "is_read"),
    [(0, True, True), (1, True, False), (1, False, True)],
    ids=["the same time", "older", "exported before"],
)
def test_an_image_is_read_unless_it_is_older_than_its_summary_and_compared_later(
    tmp_path: Path, age_ns: int, *, is_new: bool, is_read: bool
) -> None:
    folder = session(tmp_path, "S1", Scan(2, "t1"))
    (image,) = images_of(folder)
    file = image.summary.files[0]
    path = folder.path / file
    image = replace(image, summary=image.summary._replace(sums={file: (path.stat().st_size, "of the import")}))
    os.utime(folder.paths.summary, ns=(NOW, NOW))
    os.utime(path, ns=(NOW - age_ns, NOW - age_ns))
    sources = Sources(ExportCache(None), lambda _path: is_new)
    assert (sources.of_image(image, file, "sub-S1/anat/sub-S1_T1w.nii.gz").sha256 != "of the import") == is_read
    assert bool(sources.warnings) == is_read
