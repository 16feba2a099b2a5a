"""Folder mode: archives with the same name are compared by reading as little as possible, and a signal stops that."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from qxbatch.archive import content_keys as module
from qxbatch.archive.content_keys import END_BYTES, archive_keys
from qxbatch.core import CancelledError, Monitor, hash_file
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, packed, write_folder
from tests.build.study import Study, snapshot
from tests.faults.same_name import FOLDER_MODE, arguments
from tests.faults.stage import environment

SIZE = 5 * END_BYTES


def sparse(path: Path, *marks: int, size: int = SIZE) -> Path:
    """Create a file of zeros with a nonzero byte at each mark."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)
        for mark in marks:
            file.seek(mark)
            file.write(b"x")
    return path


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of files that are hashed completely."""
    paths: list[str] = []

    def hashing(path: str, *, monitor: Monitor) -> tuple[int, str]:
        paths.append(path)
        return hash_file(path, monitor=monitor)

    monkeypatch.setattr(module, "hash_file", hashing)
    return paths


def test_only_archives_with_equal_ends_are_hashed_completely(tmp_path: Path, hashed: list[str]) -> None:
    paths = [
        sparse(tmp_path / f"{k}" / "scan.zip", *marks) for k, marks in enumerate([[], [0], [SIZE - 1], [], [SIZE // 2]])
    ]
    paths += [sparse(tmp_path / "5" / "scan.zip", size=SIZE + 1), sparse(tmp_path / "6" / "other.zip")]
    reported_sizes: list[int] = []
    contents = archive_keys(paths, Monitor(), reported_sizes.append)
    assert list(contents) == paths
    assert contents[paths[0]] == contents[paths[3]]
    assert len(set(contents.values())) == len(paths) - 1
    assert hashed == [str(paths[k]) for k in (0, 3, 4)]
    assert reported_sizes == [3 * SIZE]


@pytest.mark.parametrize("size", [0, 1, END_BYTES - 1, END_BYTES, END_BYTES + 1, 2 * END_BYTES])
def test_small_archives_are_compared_by_their_ends_only(tmp_path: Path, hashed: list[str], size: int) -> None:
    marks = [[], [], *([mark] for mark in {0, size // 2, size - 1} if 0 <= mark < size)]
    paths = [sparse(tmp_path / f"{k}" / "scan.zip", *each, size=size) for k, each in enumerate(marks)]
    contents = archive_keys(paths, Monitor(), lambda _: None)
    assert contents[paths[0]] == contents[paths[1]]
    assert len(set(contents.values())) == len(paths) - 1
    assert hashed == []


def test_an_unreadable_archive_equals_no_other(tmp_path: Path) -> None:
    paths = [tmp_path / f"{k}" / "scan.zip" for k in range(2)]
    assert len(set(archive_keys(paths, Monitor(), lambda _: None).values())) == 2


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "before hashing"])
def test_the_monitor_cancels_the_comparison(tmp_path: Path, at_once: bool) -> None:
    paths = [sparse(tmp_path / f"{k}" / "scan.zip") for k in range(2)]
    monitor = Monitor()
    if at_once:
        monitor.cancel()
    with pytest.raises(CancelledError):
        archive_keys(paths, monitor, lambda _: monitor.cancel())


def fill(study: Study) -> None:
    """Write the same archive, longer than both compared ends, into two sessions."""
    archive = packed(MrSeries(rows=1200, columns=1200).files(), Kind.TAR)
    assert len(archive) > 2 * END_BYTES
    for k in (1, 2):
        write_folder({"scan.tar": archive}, study.session(f"S{k}") / "inbox")


@pytest.mark.parametrize(("more", "messages"), [((), 1), (("--quiet",), 0)], ids=["default", "quiet"])
def test_a_run_hashes_each_archive_once_and_blocks_no_other_run(
    study: Study, hashed: list[str], monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...], messages: int
) -> None:
    fill(study)

    def hash_beside_another_run(path: str, *, monitor: Monitor) -> tuple[int, str]:
        other = Locks(Workspace(study.sessions).locks_folder)
        lock = other.take("archive")
        assert lock is not None, "a run that archives would wait"
        other.release(lock)
        hashed.append(path)
        return hash_file(path, monitor=monitor)

    monkeypatch.setattr(module, "hash_file", hash_beside_another_run)
    monkeypatch.setattr("qxbatch.pipeline.archive_numbers.ANNOUNCED_BYTES", 2 * END_BYTES)
    run = study.main(*FOLDER_MODE, *more)
    assert run.status == 0, run.text
    assert hashed == [str(study.session(f"S{k}") / "inbox" / "scan.tar") for k in (1, 2)]
    assert run.err.count("Archives with the same name and size are compared") == messages
    assert list(snapshot(study.archive)) == ["scan.tar"], "equal archives are kept once"


def start_run(study: Study) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "qxbatch", *arguments(study)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(study.sessions),
    )


def test_a_run_that_hashes_large_archives_reports_it_and_can_be_interrupted(study: Study) -> None:
    for k in (1, 2):
        inbox = study.session(f"S{k}") / "inbox"
        write_folder(MrSeries(patient=f"P{k}").files(), inbox)
        sparse(inbox / "scan.zip", size=1 << 40)  # takes hours to read
    run = start_run(study)
    limit = threading.Timer(120, run.kill)
    limit.start()
    assert run.stderr is not None
    with run.stderr as lines:
        assert any("Archives with the same name and size are compared: 2199.0 GB" in line for line in lines)
        run.send_signal(signal.SIGTERM)
        assert "interrupted" in lines.read()
    assert run.wait() == 130
    limit.cancel()
    assert study.session_names() == ["S1", "S2"]
    assert not (study.session("S1") / "nii").exists()
    assert not (study.sessions / ".qxbatch").exists()


def test_fifos_devices_and_broken_links_do_not_block_a_run(study: Study) -> None:
    for k in (1, 2):
        inbox = study.session(f"S{k}") / "inbox"
        write_folder(MrSeries(patient=f"P{k}").files(), inbox)
        os.mkfifo(inbox / "pipe.zip")
        (inbox / "zero.zip").symlink_to("/dev/zero")
        (inbox / "lost.zip").symlink_to("nowhere")
    run = start_run(study)
    limit = threading.Timer(120, run.kill)
    limit.start()
    messages = run.communicate()[1]
    limit.cancel()
    assert run.returncode == 0, messages
    assert (study.session("S2") / "session.txt").exists()
    assert (study.session("S2") / "inbox" / "pipe.zip").is_fifo()
