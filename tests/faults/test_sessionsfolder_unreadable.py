"""A sessions folder, or a session, that cannot be listed or examined for a moment ends a run with a message, not a traceback."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import Kind, write_packet
from tests.build.study import Study

FOLDER_MODE = ("--masterinbox=none", "--sessions=S1")
CALLS = ("listdir", "scandir", "stat", "lstat")


class FailingCall:
    """Fails the n-th call that lists `path` or reads its status."""

    def __init__(self, path: Path, n: int) -> None:
        self.path, self.n, self.calls = os.fspath(path), n, 0

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(path: Any = ".", *args: Any, **options: Any) -> Any:
            if not isinstance(path, int) and os.fsdecode(path) == self.path:
                self.calls += 1
                if self.calls == self.n:
                    raise OSError(errno.EIO, os.strerror(errno.EIO), os.fspath(path))
            return call(path, *args, **options)

        return wrapped


@pytest.mark.parametrize("place", [".", "S1", ".qxbatch"])
@pytest.mark.parametrize("mode", [(), FOLDER_MODE], ids=["inbox", "folder mode"])
def test_each_read_that_fails_ends_with_the_path_and_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, mode: tuple[str, ...]
) -> None:
    for n in range(1, 100):
        study = Study(tmp_path / f"{n}")
        inbox = study.session("S1") / "inbox" if mode else study.inbox
        write_packet(MrSeries().files(), inbox, "S1", Kind.ZIP)
        failing = FailingCall(study.sessions / place, n)
        with monkeypatch.context() as patch:
            for call in CALLS:
                patch.setattr(os, call, failing.wrap(getattr(os, call)))
            run = study.main(*mode, "--check=any")
        if failing.calls < n:
            return
        assert run.status in (0, 1, 73), run.text
        if run.status:
            assert os.fspath(study.sessions) in run.text
            assert "input/output error" in run.text
        assert study.main(*mode, "--check=no").status == 0
        assert (study.session("S1") / "session.txt").is_file()
    pytest.fail("the number of calls is not bounded")


@pytest.mark.parametrize("mode", [(), FOLDER_MODE], ids=["inbox", "folder mode"])
def test_a_sessions_folder_that_cannot_be_listed_after_the_import_does_not_change_its_result(
    study: Study, monkeypatch: pytest.MonkeyPatch, mode: tuple[str, ...]
) -> None:
    write_packet(MrSeries().files(), study.session("S1") / "inbox" if mode else study.inbox, "S1", Kind.ZIP)
    listdir = os.listdir

    def failing(path: Any = ".") -> list[Any]:
        if Path(os.fsdecode(path)) == study.sessions and (study.session("S1") / "session.txt").exists():
            raise OSError(errno.EIO, os.strerror(errno.EIO), os.fspath(path))
        return listdir(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "listdir", failing)
        run = study.main(*mode)
    assert run.status == 0, run.text
    assert f"The study page was not refreshed: {study.sessions} cannot be listed: input/output error." in run.err
