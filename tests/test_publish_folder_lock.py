"""The lock of a folder, and several writers of the study level at the same time."""

import fcntl
import os
import threading
from pathlib import Path

from qxbatch.pipeline.study_level import write_study
from qxbatch.publish.durable import replace_text
from qxbatch.publish.folder_lock import FolderLock, locked_folder
from qxbatch.study.sessions import sessions_in
from tests.build.dicom import MrSeries
from tests.build.study import Study


def test_the_lock_is_exclusive_and_released(tmp_path: Path) -> None:
    other = os.open(tmp_path, os.O_RDONLY)
    with locked_folder(tmp_path) as lock:
        assert lock is FolderLock.ACQUIRED
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held = True
        else:
            held = False
    assert held
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)


def test_waiting_for_a_lock_of_another_process_times_out(tmp_path: Path) -> None:
    other = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    times = iter([0.0, 5.0, 10.1])
    with locked_folder(tmp_path, clock=lambda: next(times)) as lock:
        assert lock is FolderLock.HELD_BY_ANOTHER_PROCESS
    os.close(other)


def test_concurrent_writers_leave_the_complete_files_and_no_others(study: Study) -> None:
    study.put("S1", MrSeries(number=3, description="T1w").files())
    assert study.main().status == 0
    folder = study.sessions
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    errors: list[OSError] = []

    def write() -> None:
        try:
            for _ in range(5):
                write_study(folder, sessions_in(folder))
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_a_file_of_a_user_is_not_removed_as_a_temporary_file(tmp_path: Path) -> None:
    user_file = tmp_path / "report.html.new"
    user_file.write_text("mine")
    temporary = tmp_path / ".qxbatch-copy-0000000000000000-report.html"
    temporary.write_text("left by a killed run")
    replace_text(tmp_path / "report.html", "page")
    assert (user_file.read_text(), temporary.exists()) == ("mine", False)
