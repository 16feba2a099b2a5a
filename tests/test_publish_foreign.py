"""A file of the study level, or a session's page, that a person saves at any moment while it is replaced is kept."""

import ctypes
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from qxbatch.cli.main import main
from qxbatch.discover.own_names import HiddenKind, hidden_name
from qxbatch.publish import foreign
from qxbatch.publish.durable import NO_RUN, exchange_names, rename_noreplace
from qxbatch.publish.foreign import NewText, write_texts
from qxbatch.study.outdated import is_outdated
from tests.build.study import Study
from tests.build.study_level import with_three_sessions

FILES = ["study.tsv", "report.html", "study.json", "S1/qxbatch/report.html"]


class KilledError(Exception):
    """Simulates a power failure."""


@pytest.fixture
def imported(study: Study) -> Study:
    """A study with three imported sessions."""
    return with_three_sessions(study)


def is_old(content: bytes) -> bool:
    return content in (b"old", b"new")


def at_each_sync(monkeypatch: pytest.MonkeyPatch, step: Callable[[], None]) -> None:
    sync = os.fsync

    def stepped(descriptor: int) -> None:
        step()
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", stepped)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_saved_while_the_new_texts_are_synced_is_kept(
    imported: Study, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = imported.sessions / name
    saved: list[str] = []

    def save() -> None:
        if not saved and any(HiddenKind.COPY in other.name for other in path.parent.iterdir()):
            saved.append("mine")
            path.write_text("mine")

    at_each_sync(monkeypatch, save)
    assert main(["report", str(imported.sessions)]) == 0
    assert saved
    assert path.with_name(f"{path.name}.1").read_text() == "mine"
    assert "mine" not in path.read_text()


@pytest.mark.parametrize("before", ["old", None])
def test_a_file_that_is_saved_right_before_it_is_exchanged_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    path = tmp_path / "page"
    if before is not None:
        path.write_text(before)

    def save() -> None:
        if not (tmp_path / "done").exists():
            (tmp_path / "done").touch()
            path.write_text("mine")

    def exchanged(first: Path, second: Path) -> bool:
        save()
        return exchange_names(first, second)

    def renamed(source: Path, target: Path, *, others_may_write_source: bool = False) -> None:
        if target == path:
            save()
        rename_noreplace(source, target, others_may_write_source=others_may_write_source)

    monkeypatch.setattr(foreign, "exchange_names", exchanged)
    monkeypatch.setattr(foreign, "rename_noreplace", renamed)
    write_texts([NewText(path, "new", is_old)])
    texts = {other.name: other.read_text() for other in tmp_path.iterdir()}
    assert texts == {"page": "new", "page.1": "mine", "done": ""}


def test_a_file_that_vanishes_right_before_it_is_exchanged_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "page"
    path.write_text("old")

    def exchanged(first: Path, second: Path) -> bool:
        path.unlink(missing_ok=True)
        return exchange_names(first, second)

    monkeypatch.setattr(foreign, "exchange_names", exchanged)
    write_texts([NewText(path, "new", is_old)])
    assert {other.name: other.read_text() for other in tmp_path.iterdir()} == {"page": "new"}


@pytest.mark.parametrize("saved", ["mine", "old"])
def test_the_run_after_one_that_was_killed_right_after_an_exchange_keeps_what_came_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saved: str
) -> None:
    path = tmp_path / "page"
    path.write_text("old")

    def killed(first: Path, second: Path) -> bool:
        path.write_text(saved)
        exchange_names(first, second)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(foreign, "exchange_names", killed)
        with pytest.raises(KilledError):
            write_texts([NewText(path, "new", is_old)])
    write_texts([NewText(path, "new", is_old)])
    kept = {"page.1": "mine"} if saved == "mine" else {}
    assert {other.name: other.read_text() for other in tmp_path.iterdir()} == {"page": "new", **kept}


def test_the_next_run_keeps_what_a_killed_report_left(imported: Study) -> None:
    hidden = imported.sessions / hidden_name(HiddenKind.ASIDE, NO_RUN, "report.html")
    os.utime(imported.sessions / "study.json", (2**32, 2**32))
    assert not is_outdated(imported.sessions)
    hidden.write_text("mine")
    run = imported.main(f"--masterinbox={imported.sessions}", "--check=no")
    assert str(hidden) not in run.text
    assert not hidden.exists()
    assert (imported.sessions / "report.html.1").read_text() == "mine"


@pytest.mark.parametrize("name", ["study.tsv", "report.html", "study.json"])
def test_the_next_run_removes_the_new_files_of_a_killed_report(imported: Study, name: str) -> None:
    hidden = imported.sessions / hidden_name(HiddenKind.COPY, NO_RUN, name)
    os.utime(imported.sessions / "study.json", (2**32, 2**32))
    hidden.write_text("half a")
    imported.main("--check=no")
    assert not hidden.exists()


@pytest.mark.parametrize("saved", ["mine", "old"])
def test_without_an_exchange_a_file_is_looked_at_right_before_it_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saved: str
) -> None:
    path = tmp_path / "page"
    path.write_text("old")

    def save() -> None:
        if path.read_text() == "old":
            path.write_text(saved)

    at_each_sync(monkeypatch, save)
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())
    write_texts([NewText(path, "new", is_old)])
    kept = {"page.1": "mine"} if saved == "mine" else {}
    assert {other.name: other.read_text() for other in tmp_path.iterdir()} == {"page": "new", **kept}


def test_a_folder_in_place_of_a_file_is_reported_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "page"
    (path / "mine").mkdir(parents=True)
    with pytest.raises(OSError, match="page"):
        write_texts([NewText(path, "new", is_old)])
    assert [other.name for other in tmp_path.iterdir()] == ["page"]
    assert (path / "mine").exists()


@pytest.mark.parametrize("name", ["study.tsv", "report.html", "study.json"])
def test_a_folder_at_the_hidden_name_of_a_new_file_is_removed_or_named_with_the_command_that_removes_it(
    imported: Study, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    staged = imported.sessions / hidden_name(HiddenKind.COPY, NO_RUN, name)
    staged.mkdir()
    assert main(["report", str(imported.sessions)]) == 0
    assert not staged.exists()
    (staged / "content").mkdir(parents=True)
    assert main(["report", str(imported.sessions)]) == 73
    assert f"rm -r -- {staged}" in capsys.readouterr().err
    assert (staged / "content").is_dir()
