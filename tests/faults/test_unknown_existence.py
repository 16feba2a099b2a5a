"""Whether a path exists is unknown after an error, for example of a network: nothing is removed because of that."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import under
from tests.build.study import Study, snapshot

OLD = under("old", MrSeries(number=9).files())
NEW = under("new", MrSeries(number=3).files())
EDIT = "work of a person"


class FailingStatus:
    """Fails the n-th call that reads the status of a path whose end is `end`."""

    def __init__(self, end: str, n: int) -> None:
        self.end, self.n, self.calls = end, n, 0

    def wrap(self, call: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
        def wrapped(path: Any, *args: Any, **options: Any) -> os.stat_result:
            if not isinstance(path, int) and os.fsdecode(path).endswith(self.end):
                self.calls += 1
                if self.calls == self.n:
                    raise OSError(errno.EIO, os.strerror(errno.EIO), os.fspath(path))
            return call(path, *args, **options)

        return wrapped


@pytest.mark.parametrize("end", ["/old", "/old/S1"])
def test_edits_in_a_replaced_session_are_kept_whichever_status_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    for n in range(1, 100):
        study = Study(tmp_path / f"{n}")
        study.put("S1", OLD)
        assert study.main("--check=no").status == 0
        (study.session("S1") / "dicom" / "note.txt").write_text(EDIT)
        study.put("S1", NEW)
        status = FailingStatus(end, n)
        with monkeypatch.context() as patch:
            patch.setattr(os, "lstat", status.wrap(os.lstat))
            patch.setattr(os, "stat", status.wrap(os.stat))
            run = study.main("--check=no", "--overwrite=yes")
        if status.calls < n:
            return
        assert has_edit(study), f"status {n} of {end}: {run.text}"
        run = study.main("--check=no")
        assert has_edit(study), f"status {n} of {end}: {run.text}"
    pytest.fail("the number of calls is not bounded")


def has_edit(study: Study) -> bool:
    return any(
        path.endswith("/dicom/note.txt") and (study.sessions / path).read_text() == EDIT
        for path in snapshot(study.sessions)
    )
