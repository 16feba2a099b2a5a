"""Two processes that write the study level at once."""

import fcntl
import os
import threading
from pathlib import Path

from qxbatch.pipeline.study_level import write_study
from qxbatch.publish.alone import alone_in
from qxbatch.publish.durable import replaced_text
from qxbatch.study.sessions import sessions_in
from tests.build.dicom import MrSeries
from tests.build.study import Study


def test_the_lock_is_held_once_and_released(tmp_path: Path) -> None:
    other = os.open(tmp_path, os.O_RDONLY)
    with alone_in(tmp_path) as alone:
        assert alone
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held = True
        else:
            held = False
    assert held
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)


def test_a_lock_that_another_process_keeps_is_not_waited_for_without_end(tmp_path: Path) -> None:
    other = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    times = iter([0.0, 5.0, 10.1])
    with alone_in(tmp_path, clock=lambda: next(times)) as alone:
        assert not alone
    os.close(other)


def test_many_writers_leave_three_whole_files_and_nothing_else(study: Study) -> None:
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


def test_a_users_file_beside_is_no_temporary_file(tmp_path: Path) -> None:
    beside = tmp_path / "report.html.new"
    beside.write_text("mine")
    left = tmp_path / ".qxbatch-copy-0000000000000000-report.html"
    left.write_text("left by a killed run")
    replaced_text(tmp_path / "report.html", "page")
    assert (beside.read_text(), left.exists()) == ("mine", False)
