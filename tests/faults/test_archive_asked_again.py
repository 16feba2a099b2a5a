"""A run that finishes an interrupted one keeps a packet in the inbox if its own --archive asks for it."""

import shutil
from pathlib import Path

import pytest

from qxbatch.discover.own_names import HiddenKind
from qxbatch.publish.journal import run_of_journal
from qxbatch.publish.transfer import hidden_path
from qxbatch.publish.workspace import Workspace
from tests.build.packets import Kind, write_packet
from tests.build.study import Study, run_main
from tests.faults.test_finished_packets import T1, interrupt

PACKET = "S1.zip"


def in_shared_inbox(study: Study, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *args: str) -> Path:
    """Interrupt the import of a packet in an inbox outside of the study; return the inbox."""
    inbox = tmp_path / "shared"
    inbox.mkdir()
    write_packet(T1.files(), inbox, "S1", Kind.ZIP)
    interrupt(study, monkeypatch, f"--masterinbox={inbox}", *args)
    return inbox


@pytest.mark.parametrize("before", ["move", "delete"])
@pytest.mark.parametrize("renamed", [False, True])
def test_a_copy_of_a_study_leaves_the_packets_outside_of_it_if_asked(
    study: Study, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, before: str, *, renamed: bool
) -> None:
    inbox = in_shared_inbox(study, monkeypatch, tmp_path, f"--archive={before}")
    if renamed:
        workspace = Workspace(study.sessions)
        tag = workspace.of_run(run_of_journal(workspace.journal_path("S1"))).hidden_name_tag("S1")
        (inbox / PACKET).rename(hidden_path(inbox / PACKET, HiddenKind.ASIDE, tag))
    copy = tmp_path / "copy"
    shutil.copytree(study.sessions, copy)
    run = run_main(str(copy), f"--masterinbox={inbox}", "--archive=leave", "--check=no")
    assert run.status == 0, run.text
    assert [path.name for path in inbox.iterdir()] == [PACKET]
    assert (copy / "S1" / "session.txt").exists()
    assert not (copy / ".qxbatch").exists()
    assert study.main(f"--masterinbox={inbox}", "--check=no").status == 0
    assert list(inbox.iterdir()) == []


@pytest.mark.parametrize(
    ("before", "now", "in_inbox", "in_archive"),
    [
        ("move", ["--archive=leave"], True, False),
        ("move", ["--archive=copy"], True, True),
        ("delete", ["--archive=move"], False, True),
        ("delete", ["--archive=copy"], True, True),
        ("leave", ["--archive=delete"], True, False),
        ("delete", [], False, False),
    ],
)
def test_a_packet_leaves_or_is_deleted_only_if_both_runs_ask_for_it(
    study: Study, monkeypatch: pytest.MonkeyPatch, before: str, now: list[str], *, in_inbox: bool, in_archive: bool
) -> None:
    study.put("S1", T1.files())
    interrupt(study, monkeypatch, f"--archive={before}")
    run = study.main(*now, "--check=no")
    assert run.status == 0, run.text
    assert (study.inbox / PACKET).exists() == in_inbox
    assert (study.archive / PACKET).exists() == in_archive
    assert not (study.sessions / ".qxbatch").exists()
