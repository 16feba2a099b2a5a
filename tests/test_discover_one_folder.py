"""Sessions whose folders a file system without case takes for one."""

import os
from pathlib import Path

import pytest

from qxbatch.discover.judged import Judged
from qxbatch.discover.one_folder import judge_one_folder
from qxbatch.model import SessionId, Verdict
from qxbatch.problems import Code
from qxbatch.session.one_name import ignores_case, other_name
from tests.build.inbox import Place


def ready(*ids: str) -> list[Judged]:
    return [Judged(Path("/inbox", name), Verdict.READY, name, SessionId(name)) for name in ids]


def test_ids_that_differ_by_case_are_refused_where_case_is_ignored() -> None:
    one, other, third = judge_one_folder(ready("AP1", "ap1", "AP2"), {}, ignores_case=True)
    assert one.problem is not None
    assert other.problem is not None
    assert (one.problem.code, third.verdict) == (Code.SAME_SESSION, Verdict.READY)
    assert "ap1" in one.problem.message
    assert "AP1" in other.problem.message
    assert "does not distinguish them" in one.problem.message


def test_elsewhere_they_are_two_sessions() -> None:
    assert [each.verdict for each in judge_one_folder(ready("AP1", "ap1"), {}, ignores_case=False)] == [
        Verdict.READY
    ] * 2


def test_one_session_of_two_packets_is_none_of_this() -> None:
    assert all(each.ready for each in judge_one_folder(ready("AP1", "AP1"), {}, ignores_case=True))


def test_an_existing_folder_of_another_name_refuses() -> None:
    (each,) = judge_one_folder(ready("ap1"), {"ap1": "AP1"}, ignores_case=False)
    assert each.problem is not None
    assert "the folder of AP1" in each.problem.message


@pytest.fixture
def without_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that finds a name in any case, as far as `lexists` says."""
    there = os.path.lexists

    def lexists(path: os.PathLike[str] | str) -> bool:
        names = (each.name.casefold() for each in Path(path).parent.iterdir())
        return there(path) or Path(path).name.casefold() in names

    monkeypatch.setattr(os.path, "lexists", lexists)


@pytest.mark.usefixtures("without_case")
def test_a_run_refuses_both_before_anything_is_written(tmp_path: Path) -> None:
    place = Place(tmp_path)
    found = place.put("AP1.zip", "ap1.tar").candidates()
    assert [each.verdict for each in found] == [Verdict.REFUSED] * 2
    assert [path.name for path in place.sessions.iterdir()] == ["inbox"]


@pytest.mark.usefixtures("without_case")
def test_a_run_refuses_what_exists_in_another_case_also_with_overwrite(tmp_path: Path) -> None:
    place = Place(tmp_path).session("AP1/session.txt", "id: AP1\n").put("ap1.zip")
    assert place.one().verdict is Verdict.REFUSED
    assert place.one(overwrite="yes").verdict is Verdict.REFUSED
    assert other_name(place.sessions / "ap1") == "AP1"


def test_a_file_system_with_case_keeps_two_sessions(tmp_path: Path) -> None:
    place = Place(tmp_path)
    if (tmp_path / "SESSIONS").exists():
        pytest.skip("the file system of the test ignores case")
    assert not ignores_case(place.sessions)
    assert not ignores_case(tmp_path / "new" / "one")
    assert [each.verdict for each in place.put("AP1.zip", "ap1.tar").candidates()] == [Verdict.READY] * 2


@pytest.mark.usefixtures("without_case")
def test_the_command_gives_a_packet_a_name_of_its_own_and_imports_it(tmp_path: Path) -> None:
    place = Place(tmp_path).session("AP1/session.txt", "id: AP1\n").put("ap1.zip")
    found = place.one()
    assert found.problem is not None
    rename, _, run = found.problem.command.partition(" && ")
    assert rename == f"mv -n -- {found.path} {found.path.with_name('ap1-1.zip')}"
    assert run == f"qxbatch {place.sessions} --sessions=ap1-1"
