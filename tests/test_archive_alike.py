"""Folder mode: archives of one name are compared by reading little of them, once, and so that the run can be stopped."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from qxbatch.archive import alike as module
from qxbatch.archive.alike import END, contents_of
from qxbatch.core import CancelledError, Monitor, hash_file
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, packed, write_folder
from tests.build.study import Study, snapshot
from tests.faults.alike import NONE, words
from tests.faults.stage import environment

SIZE = 5 * END


def sparse(path: Path, *marks: int, size: int = SIZE) -> Path:
    """Make a file of zeros with a byte at each mark."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)
        for mark in marks:
            file.seek(mark)
            file.write(b"x")
    return path


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are read in whole."""
    found: list[str] = []

    def hashing(path: str, *, monitor: Monitor) -> tuple[int, str]:
        found.append(path)
        return hash_file(path, monitor=monitor)

    monkeypatch.setattr(module, "hash_file", hashing)
    return found


def test_only_those_that_are_alike_at_both_ends_are_read_in_whole(tmp_path: Path, hashed: list[str]) -> None:
    paths = [
        sparse(tmp_path / f"{k}" / "scan.zip", *marks) for k, marks in enumerate([[], [0], [SIZE - 1], [], [SIZE // 2]])
    ]
    paths += [sparse(tmp_path / "5" / "scan.zip", size=SIZE + 1), sparse(tmp_path / "6" / "other.zip")]
    told: list[int] = []
    contents = contents_of(paths, Monitor(), told.append)
    assert list(contents) == paths
    assert contents[paths[0]] == contents[paths[3]]
    assert len(set(contents.values())) == len(paths) - 1
    assert hashed == [str(paths[k]) for k in (0, 3, 4)]
    assert told == [3 * SIZE]


@pytest.mark.parametrize("size", [0, 1, END - 1, END, END + 1, 2 * END])
def test_small_ones_are_told_apart_by_their_ends(tmp_path: Path, hashed: list[str], size: int) -> None:
    marks = [[], [], *([mark] for mark in {0, size // 2, size - 1} if 0 <= mark < size)]
    paths = [sparse(tmp_path / f"{k}" / "scan.zip", *each, size=size) for k, each in enumerate(marks)]
    contents = contents_of(paths, Monitor(), lambda _: None)
    assert contents[paths[0]] == contents[paths[1]]
    assert len(set(contents.values())) == len(paths) - 1
    assert hashed == []


def test_one_that_cannot_be_read_is_like_no_other(tmp_path: Path) -> None:
    paths = [tmp_path / f"{k}" / "scan.zip" for k in range(2)]
    assert len(set(contents_of(paths, Monitor(), lambda _: None).values())) == 2


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "before they are read in whole"])
def test_the_monitor_stops_it(tmp_path: Path, at_once: bool) -> None:
    paths = [sparse(tmp_path / f"{k}" / "scan.zip") for k in range(2)]
    monitor = Monitor()
    if at_once:
        monitor.cancel()
    with pytest.raises(CancelledError):
        contents_of(paths, monitor, lambda _: monitor.cancel())


def fill(study: Study) -> None:
    """Two sessions with the same archive, which is longer than both ends."""
    archive = packed(MrSeries(rows=1200, columns=1200).files(), Kind.TAR)
    assert len(archive) > 2 * END
    for k in (1, 2):
        write_folder({"scan.tar": archive}, study.session(f"S{k}") / "inbox")


@pytest.mark.parametrize(("more", "told"), [((), 1), (("--quiet",), 0)], ids=["aloud", "quiet"])
def test_a_run_reads_them_once_and_keeps_no_other_run_waiting(
    study: Study, hashed: list[str], monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...], told: int
) -> None:
    fill(study)

    def beside_another(path: str, *, monitor: Monitor) -> tuple[int, str]:
        other = Locks(Workspace(study.sessions).locks)
        held = other.take("archive")
        assert held is not None, "a run that archives would wait"
        other.release(held)
        hashed.append(path)
        return hash_file(path, monitor=monitor)

    monkeypatch.setattr(module, "hash_file", beside_another)
    monkeypatch.setattr("qxbatch.pipeline.archive_numbers.LONG", 2 * END)
    run = study.main(*NONE, *more)
    assert run.status == 0, run.text
    assert hashed == [str(study.session(f"S{k}") / "inbox" / "scan.tar") for k in (1, 2)]
    assert run.err.count("Archives of one name and size are compared") == told
    assert list(snapshot(study.archive)) == ["scan.tar"], "the same bytes are kept once"


def begun(study: Study) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "qxbatch", *words(study)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(study.sessions),
    )


def test_a_run_that_reads_large_ones_says_so_and_can_be_stopped(study: Study) -> None:
    for k in (1, 2):
        inbox = study.session(f"S{k}") / "inbox"
        write_folder(MrSeries(patient=f"P{k}").files(), inbox)
        sparse(inbox / "scan.zip", size=1 << 40)  # hours to read
    run = begun(study)
    limit = threading.Timer(120, run.kill)
    limit.start()
    assert run.stderr is not None
    with run.stderr as lines:
        assert any("Archives of one name and size are compared: 2199.0 GB" in line for line in lines)
        run.send_signal(signal.SIGTERM)
        assert "interrupted" in lines.read()
    assert run.wait() == 130
    limit.cancel()
    assert study.session_names() == ["S1", "S2"]
    assert not (study.session("S1") / "nii").exists()
    assert not (study.sessions / ".qxbatch").exists()


def test_what_is_no_file_keeps_no_run_waiting(study: Study) -> None:
    for k in (1, 2):
        inbox = study.session(f"S{k}") / "inbox"
        write_folder(MrSeries(patient=f"P{k}").files(), inbox)
        os.mkfifo(inbox / "pipe.zip")
        (inbox / "zero.zip").symlink_to("/dev/zero")
        (inbox / "lost.zip").symlink_to("nowhere")
    run = begun(study)
    limit = threading.Timer(120, run.kill)
    limit.start()
    said = run.communicate()[1]
    limit.cancel()
    assert run.returncode == 0, said
    assert (study.session("S2") / "session.txt").exists()
    assert (study.session("S2") / "inbox" / "pipe.zip").is_fifo()
