"""Whether a file of the data set exists is unknown after an error: its session then counts as one with files there."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from qxbatch.bids.files.record import read_record
from qxbatch.bids.write.journal import unfinished_sessions
from tests.build.bids import Scan
from tests.build.bids_study import BidsStudy
from tests.test_bids_interrupted import interrupted_study

FIRST = Scan(2, "t1", "10:00:00")
SECOND = Scan(2, "t1", "11:00:00", shape=(5, 4, 3))


@contextmanager
def unreadable_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let each call that reads the status of a path in a folder fail, as without permission to enter it."""
    lstat, path_lstat = os.lstat, Path.lstat

    def is_inside(path: object) -> bool:
        return isinstance(path, str | os.PathLike) and os.fspath(path).startswith(f"{folder}/")

    def refuse(path: object) -> OSError:
        return PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    def failing(path: Any, **options: Any) -> os.stat_result:
        if is_inside(path):
            raise refuse(path)
        return lstat(path, **options)

    def failing_method(path: Path) -> os.stat_result:
        if is_inside(path):
            raise refuse(path)
        return path_lstat(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "lstat", failing)
        patch.setattr(Path, "lstat", failing_method)
        yield


def test_a_subject_does_not_get_the_label_of_one_whose_folder_cannot_be_entered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, other = BidsStudy(tmp_path / "one"), BidsStudy(tmp_path / "other")
    other.bids = study.bids
    study.add("S1", FIRST, subject="A-1", ses="a")
    assert study.run().status == 0
    other.add("S2", SECOND, subject="A1", ses="b")
    with unreadable_folder(study.bids / "sub-A1" / "ses-a", monkeypatch):
        run = other.run()
    assert run.status == 1
    assert "subjects A-1 (session S1 in the data set) and A1 have one label" in " ".join(run.text.split())
    assert not (study.bids / "sub-A1" / "ses-b").exists()


def test_an_interrupted_session_whose_folder_cannot_be_entered_is_not_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = interrupted_study(tmp_path)
    record = read_record(study.bids)
    with unreadable_folder(study.bids / "sub-1", monkeypatch):
        assert unfinished_sessions(study.bids, record, ["S2"]) == ["S1"]
