"""Folder mode: files that cannot be removed from the inbox are reported, the journal is kept, and the next run continues."""

from pathlib import Path

import pytest

from qxbatch.cli.main import main
from tests.faults.scenarios import scenarios
from tests.faults.stage import Copy, Stage, command, victim

STEPS = {"file": "os.remove {}/S1/inbox/deep/T1/", "folder": "os.rmdir {}/S1/inbox/deep/T1"}
"""The step that fails; `{}` is the sessions folder."""


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stage]:
    by_name = {scenario.name: scenario for scenario in scenarios()}
    names = ("folder-move", "folder-leave", "again-delete")
    return {name: Stage(by_name[name], tmp_path_factory.mktemp(name)) for name in names}


def failed_run(stage: Stage, copy: Copy, what: str) -> str:
    """Run with a failing step of STEPS; return the output."""
    run = victim(f"EIO@{STEPS[what].format(copy.sessions)}", stage.base / "steps.now", copy)
    assert run.status == 1, run.text
    assert "Traceback" not in run.text
    return run.text


def unwrapped(text: str) -> str:
    """Return the text of a run on one line: messages are wrapped."""
    return " ".join(text.split())


def journals(copy: Copy) -> list[str]:
    return sorted(path.name for path in (copy.sessions / ".qxbatch" / "journal").glob("*"))


@pytest.mark.parametrize("what", STEPS)
@pytest.mark.parametrize("name", ["folder-move", "folder-leave"])
def test_what_cannot_be_removed_from_the_inbox_is_removed_by_the_next_run(
    stages: dict[str, Stage], name: str, what: str
) -> None:
    stage = stages[name]
    copy = stage.copy(f"once-{what}")
    text = failed_run(stage, copy, what)
    folder = copy.sessions / "S1" / "inbox" / "deep" / "T1"
    (message,) = [line for line in text.splitlines() if "could not leave the inbox" in line and str(folder) in line]
    assert message.endswith("could not leave the inbox: input/output error.")
    assert ("is sorted" if what == "file" else "is empty now") in message
    assert "Correct this and run again: only this step remains." in unwrapped(text)
    assert len(list(folder.iterdir())) == (1 if what == "file" else 0), "all other files are removed"
    assert journals(copy) == ["S1.json"], "S2 had no fault"
    assert main(["verify", str(copy.sessions / "S1"), str(copy.sessions / "S2")]) == 0
    assert stage.judge_fault(copy) == []
    again = command(copy.arguments, copy.root)
    assert again.status == 0, again.text
    assert "the remaining steps were done now" in unwrapped(again.text)
    assert not folder.exists()
    assert stage.judge_end(copy) == []


def test_each_run_tries_the_removal_until_it_succeeds(stages: dict[str, Stage]) -> None:
    stage = stages["folder-move"]
    copy = stage.copy("thrice")
    for k, what in enumerate(("file", "folder", "folder")):
        text = failed_run(stage, copy, what)
        assert "were done now" not in unwrapped(text)
        assert ("some steps remain" in unwrapped(text)) == (k > 0)
        assert journals(copy) == ["S1.json"]
        assert stage.judge_fault(copy) == []
    assert command(copy.arguments, copy.root).status == 0
    assert stage.judge_end(copy) == []


def test_a_new_file_of_a_session_with_results_is_removed_by_the_next_run(stages: dict[str, Stage]) -> None:
    stage = stages["again-delete"]
    copy = stage.copy("late")
    late = Path(copy.sessions, "S1", "inbox", "late")
    run = victim(f"EIO@os.remove {late}/", stage.base / "steps.now", copy)
    assert run.status == 1, run.text
    assert journals(copy) == ["S1.json"]
    assert stage.judge_fault(copy) == []
    again = command(copy.arguments, copy.root)
    assert again.status == 0, again.text
    assert not late.exists()
    assert stage.judge_end(copy) == []
