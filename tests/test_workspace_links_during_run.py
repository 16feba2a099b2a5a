"""Folders of the workspace that become links while a file in them is written or removed: nothing outside of the study changes."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qxbatch.archive import stored_numbers
from qxbatch.archive.stored_numbers import forget_numbers
from qxbatch.bids.files import export_cache
from qxbatch.bids.files.export_cache import read_cache
from qxbatch.publish import journal as journal_module
from qxbatch.publish.journal import Journal, remove_journal, write_journal
from qxbatch.publish.locks import Locks
from qxbatch.publish.plain_files import LinkError
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.model import Archive
from qxbatch.study import exports
from qxbatch.study.exports import DataSet, record_data_set
from tests.build.study import Study, snapshot

DATA_SET = Path("/data set")


@pytest.fixture
def victim(study: Study, tmp_path: Path) -> Path:
    """A folder outside of the study, with the names that files and folders of the workspace have."""
    victim = tmp_path / "victim"
    cache = cache_path(study).name
    (victim / "journal").mkdir(parents=True)
    for name in ("numbers.json", "numbers.json.new", "bids.json", cache, f"bids/{cache}"):
        (victim / name).parent.mkdir(parents=True, exist_ok=True)
        (victim / name).write_text("the only copy\n")
    return victim


def cache_path(study: Study) -> Path:
    """Return the path of the cache of DATA_SET."""
    path = read_cache(study.sessions, DATA_SET)._path
    assert path is not None
    return path


def journal_of(study: Study) -> Journal:
    workspace = Workspace(study.sessions)
    return Journal("S1", workspace.run, (), ("S1",), (), Archive.MOVE, False, False, False, False, False, True)


def replace_by_link(folder: Path, target: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.rename(folder.with_name("moved"))
    folder.symlink_to(target)


def replacing_by_link(folder: Path, target: Path, write: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that replaces a folder by a link, and then calls `write`."""

    def replace_and_write(*arguments: Any, **keywords: Any) -> Any:
        if not folder.is_symlink():
            replace_by_link(folder, target)
        return write(*arguments, **keywords)

    return replace_and_write


def write_cache(study: Study) -> None:
    read_cache(study.sessions, DATA_SET).write()


def write_exports(study: Study) -> None:
    record_data_set(study.sessions, DataSet(study.sessions, study.sessions, {}))


def write_the_journal(study: Study) -> None:
    write_journal(journal_of(study), Workspace(study.sessions))


def remove_numbers(study: Study) -> None:
    workspace = Workspace(study.sessions)
    workspace.top.mkdir()
    workspace.numbers_path.write_text("{}")
    forget_numbers(workspace, Locks(workspace.locks_folder))


@pytest.mark.parametrize(
    ("change", "module", "function", "folder"),
    [
        (write_cache, export_cache, "replace_text", ".qxbatch"),
        (write_cache, export_cache, "replace_text", ".qxbatch/bids"),
        (write_exports, exports, "replace_text", ".qxbatch"),
        (write_the_journal, journal_module, "write_new_json", ".qxbatch"),
        (write_the_journal, journal_module, "write_new_json", ".qxbatch/journal"),
        (remove_numbers, stored_numbers, "clear_path", ".qxbatch"),
    ],
)
def test_nothing_is_changed_through_a_folder_that_a_link_replaces_meanwhile(
    study: Study,
    victim: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Study], None],
    module: Any,
    function: str,
    folder: str,
) -> None:
    before, path = snapshot(victim), study.sessions / folder
    monkeypatch.setattr(module, function, replacing_by_link(path, victim, getattr(module, function)))
    with contextlib.suppress(OSError):
        change(study)
    assert path.is_symlink()
    assert snapshot(victim) == before


@pytest.mark.parametrize("folder", [".qxbatch", ".qxbatch/journal"])
def test_a_journal_is_not_removed_through_a_link(study: Study, victim: Path, folder: str) -> None:
    write_the_journal(study)
    replace_by_link(study.sessions / folder, victim)
    for path in (victim / "S1.json", victim / "journal" / "S1.json"):
        path.write_text("the only copy\n")
    before = snapshot(victim)
    with pytest.raises(LinkError):
        remove_journal("S1", Workspace(study.sessions))
    assert snapshot(victim) == before


@pytest.mark.parametrize("folder", [".qxbatch", ".qxbatch/journal"])
def test_the_temporary_file_of_a_journal_is_not_removed_through_a_link(study: Study, victim: Path, folder: str) -> None:
    workspace = Workspace(study.sessions)
    temporary = workspace.temporary_journal_path("S1")
    write_the_journal(study)
    temporary.write_text("a part")
    workspace.clear("S1")
    assert not temporary.exists()
    replace_by_link(study.sessions / folder, victim)
    for path in (victim / temporary.name, victim / "journal" / temporary.name):
        path.write_text("the only copy\n")
    before = snapshot(victim)
    with contextlib.suppress(LinkError):
        workspace.clear("S1")
    assert snapshot(victim) == before


@pytest.mark.parametrize("change", [write_cache, write_exports, write_the_journal])
def test_a_folder_that_another_run_removes_meanwhile_is_created_again(
    study: Study, monkeypatch: pytest.MonkeyPatch, change: Callable[[Study], None]
) -> None:
    from qxbatch.publish import below

    opened_below = below.opened_below
    calls: list[Path] = []

    @contextlib.contextmanager
    def opened_and_removed(folder: Path, top: Path, *, create: bool = False) -> Any:
        with opened_below(folder, top, create=create) as opened:
            if not calls:
                folder.rmdir()
            calls.append(folder)
            yield opened

    monkeypatch.setattr(below, "opened_below", opened_and_removed)
    change(study)
    assert len(calls) == 2
    assert [path for path in calls[0].iterdir() if path.is_file()]
