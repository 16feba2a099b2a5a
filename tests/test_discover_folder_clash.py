"""Sessions whose folder names are equal on a case-insensitive file system."""

import os
from pathlib import Path

import pytest

from qxbatch.discover.folder_clash import refuse_same_folder
from qxbatch.discover.judged_entry import JudgedEntry
from qxbatch.model import SessionId, Verdict
from qxbatch.problems import Code
from qxbatch.session.equal_names import ignores_case, other_stored_name
from tests.build.inbox import DummyStudy


def ready(*ids: str) -> list[JudgedEntry]:
    return [JudgedEntry(Path("/inbox", name), Verdict.READY, name, SessionId(name)) for name in ids]


def test_ids_that_differ_by_case_are_refused_on_a_case_insensitive_file_system() -> None:
    one, other, third = refuse_same_folder(ready("AP1", "ap1", "AP2"), {}, ignores_case=True)
    assert one.problem is not None
    assert other.problem is not None
    assert (one.problem.code, third.verdict) == (Code.SAME_SESSION, Verdict.READY)
    assert "ap1" in one.problem.message
    assert "AP1" in other.problem.message
    assert "does not distinguish them" in one.problem.message


def test_ids_that_differ_by_case_are_two_sessions_elsewhere() -> None:
    assert [each.verdict for each in refuse_same_folder(ready("AP1", "ap1"), {}, ignores_case=False)] == [
        Verdict.READY
    ] * 2


def test_two_packets_of_one_id_are_not_refused_for_their_case() -> None:
    assert all(each.is_ready for each in refuse_same_folder(ready("AP1", "AP1"), {}, ignores_case=True))


def test_a_session_whose_folder_exists_in_another_case_is_refused() -> None:
    (each,) = refuse_same_folder(ready("ap1"), {"ap1": "AP1"}, ignores_case=False)
    assert each.problem is not None
    assert "the folder of AP1" in each.problem.message


@pytest.fixture
def case_insensitive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `os.path.lexists` ignore case, as on a case-insensitive file system."""
    original = os.path.lexists

    def lexists(path: os.PathLike[str] | str) -> bool:
        names = (each.name.casefold() for each in Path(path).parent.iterdir())
        return original(path) or Path(path).name.casefold() in names

    monkeypatch.setattr(os.path, "lexists", lexists)


@pytest.mark.usefixtures("case_insensitive")
def test_both_packets_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    dummy = DummyStudy(tmp_path)
    candidates = dummy.put("AP1.zip", "ap1.tar").candidates()
    assert [each.verdict for each in candidates] == [Verdict.REFUSED] * 2
    assert [path.name for path in dummy.sessions.iterdir()] == ["inbox"]


@pytest.mark.usefixtures("case_insensitive")
def test_a_session_that_exists_in_another_case_is_refused_also_with_overwrite(tmp_path: Path) -> None:
    dummy = DummyStudy(tmp_path).write("AP1/session.txt", "id: AP1\n").put("ap1.zip")
    assert dummy.candidate().verdict is Verdict.REFUSED
    assert dummy.candidate(overwrite="yes").verdict is Verdict.REFUSED
    assert other_stored_name(dummy.sessions / "ap1") == "AP1"


def test_a_case_sensitive_file_system_keeps_two_sessions(tmp_path: Path) -> None:
    dummy = DummyStudy(tmp_path)
    if (tmp_path / "SESSIONS").exists():
        pytest.skip("the file system of the test ignores case")
    assert not ignores_case(dummy.sessions)
    assert not ignores_case(tmp_path / "new" / "one")
    assert [each.verdict for each in dummy.put("AP1.zip", "ap1.tar").candidates()] == [Verdict.READY] * 2


@pytest.mark.usefixtures("case_insensitive")
def test_the_command_renames_the_packet_and_imports_it(tmp_path: Path) -> None:
    dummy = DummyStudy(tmp_path).write("AP1/session.txt", "id: AP1\n").put("ap1.zip")
    candidate = dummy.candidate()
    assert candidate.problem is not None
    rename, _, run = candidate.problem.command.partition(" && ")
    assert rename == f"mv -n -- {candidate.path} {candidate.path.with_name('ap1-1.zip')}"
    assert run == f"qxbatch {dummy.sessions} --sessions=ap1-1"
