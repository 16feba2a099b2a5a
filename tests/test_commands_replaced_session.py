"""`inspect --update` and `report` write nothing to a folder that gets the path of the session while they read it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import qxbatch.commands.inspect_update
import qxbatch.commands.pictures
import qxbatch.commands.session_page
from qxbatch.discover.own_names import HiddenKind, hidden_name
from qxbatch.publish.durable import NO_RUN
from tests.build.dicom import MrSeries
from tests.build.study import Study, run_main, snapshot
from tests.test_inspect_update import make_older

STEPS: dict[str, tuple[Any, str, tuple[str, ...]]] = {
    "update": (qxbatch.commands.inspect_update, "changed_texts", ("inspect", "--update")),
    "picture": (qxbatch.commands.pictures, "write_picture", ("report",)),
    "thumbnail": (qxbatch.commands.pictures, "thumbnail", ("report",)),
    "page": (qxbatch.commands.session_page, "session_page", ("report",)),
}
"""For each step: the module and the function after which the session is replaced, and the command."""


def linked(session: Path, other: Path) -> None:
    """Put a link to another session at the path of a session."""
    session.symlink_to(other)


def copied(session: Path, other: Path) -> None:
    """Put another session at the path of a session."""
    shutil.copytree(other, session)


def removed(_session: Path, _other: Path) -> None:
    """Put nothing at the path of a session."""


@pytest.fixture
def session(study: Study, tmp_path: Path) -> Path:
    """A session whose page, picture and thumbnail are missing, and whose facts are old; with a copy that is complete."""
    study.put("S1", MrSeries(number=3, slices=4).files())
    assert study.main().status == 0
    session = study.session("S1")
    shutil.copytree(session, tmp_path / "other")
    make_older(session)
    for name in ("report.html", "pictures/31.png", "pictures/thumbnail.png"):
        (session / "qxbatch" / name).unlink()
    shutil.rmtree(tmp_path / "other/qxbatch/pictures")
    return session


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("replace", "why"), [(linked, "is a link"), (copied, "was moved or replaced"), (removed, "was moved or replaced")]
)
def test_nothing_is_written_to_another_session(
    step: str,
    replace: Callable[[Path, Path], None],
    why: str,
    session: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other, moved = tmp_path / "other", tmp_path / "moved"
    module, name, command = STEPS[step]
    function = getattr(module, name)
    before = snapshot(other)

    def call_and_replace(*args: object) -> object:
        result = function(*args)
        session.rename(moved)
        replace(session, other)
        return result

    monkeypatch.setattr(module, name, call_and_replace)
    run = run_main(*command, str(session))
    assert run.status == 1, run.text
    assert f"{session}: {why}" in run.text
    assert f"wrote {session}/" not in run.text
    assert snapshot(other) == before
    assert replace is not copied or snapshot(session) == before
    assert replace is not removed or not session.exists()
    assert list(moved.rglob(".*")) == []


def test_a_session_that_stays_is_written(session: Path) -> None:
    before = snapshot(session)
    assert run_main("report", str(session)).status == 0
    assert run_main("inspect", "--update", str(session)).status == 0
    added = {"report.html", "pictures/31.png", "pictures/thumbnail.png"}
    after = snapshot(session)
    assert after.keys() - before.keys() == {f"qxbatch/{name}" for name in added}
    assert after["qxbatch/summary.json"] != before["qxbatch/summary.json"]


def test_a_folder_in_the_way_is_named_by_its_path(session: Path) -> None:
    folder = session / "qxbatch" / hidden_name(HiddenKind.COPY, NO_RUN, "report.html")
    (folder / "content").mkdir(parents=True)
    run = run_main("report", str(session))
    assert run.status == 73
    assert f"`rm -r -- {folder}`" in run.err
    assert (folder / "content").exists()
