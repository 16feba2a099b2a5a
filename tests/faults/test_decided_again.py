"""A run that finishes an interrupted one decides by what it reads whether a packet is deleted: a journal is only a claim."""

import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qxbatch.discover.own_names import HiddenKind
from qxbatch.publish.file_states import file_states_in, remove_unchanged
from qxbatch.publish.open_folders import opened_folder, opened_in
from qxbatch.publish.transfer import hidden_path
from qxbatch.publish.workspace import Workspace
from tests.build.packets import Kind, tarred, write_folder
from tests.build.study import Run, Study, snapshot
from tests.faults.attack import RUN, TREE, Attack, Forged
from tests.faults.test_removed_packets import FILES, FIRST, killed

OUTSIDE = "../../raw/IM0009"


@pytest.fixture
def attack(study: Study) -> Attack:
    """A study with a session whose packet was moved out of the archive."""
    attack = Attack(study)
    attack.import_session()
    for packet in study.archive.iterdir():
        packet.rename(attack.top / packet.name)
    return attack


def recovered(attack: Attack, packets: list[Forged]) -> Run:
    """Run with a forged journal that names packets of the session S1, which are to be deleted."""
    attack.forge_journal(sessions=["S1"], ledgers=[attack.ledger_hash("S1")], packets=packets)
    return attack.study.main("--check=no")


def linked_folder(inbox: Path) -> Path:
    packet = write_folder(TREE, inbox / "S7")
    (packet / "rest").symlink_to(OUTSIDE)
    return packet


def folder_of_a_link(inbox: Path) -> Path:
    (inbox / "S7").mkdir()
    (inbox / "S7" / "rest").symlink_to("nothing")
    return inbox / "S7"


def linked_tar(inbox: Path) -> Path:
    packet = inbox / "S7.tar"
    packet.write_bytes(tarred(TREE))
    with tarfile.open(packet, "a") as archive:
        member = tarfile.TarInfo("rest")
        member.type, member.linkname = tarfile.SYMTYPE, OUTSIDE
        archive.addfile(member)
    return packet


def surrounded_tar(inbox: Path) -> Path:
    packet = inbox / "S7.tar"
    packet.write_bytes(tarred(TREE) + b"x" * 700)
    return packet


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (linked_folder, "contains links"),
        (folder_of_a_link, "contains links"),
        (linked_tar, "contains links"),
        (surrounded_tar, "has bytes that are not part of any member"),
    ],
)
@pytest.mark.parametrize("hidden", [False, True])
def test_a_packet_with_more_than_the_session_contains_is_moved_whatever_the_journal_says(
    attack: Attack, write: Callable[[Path], Path], reason: str, hidden: bool
) -> None:
    packet = write(attack.study.inbox)
    before = snapshot(attack.study.inbox)
    packets = attack.packets(packet)
    if hidden:
        tag = Workspace(attack.study.sessions).of_run(RUN).hidden_name_tag("S1")
        packet.rename(hidden_path(packet, HiddenKind.ASIDE, tag))
    run = recovered(attack, packets)
    assert run.status == 0, run.text
    assert snapshot(attack.study.archive) == before
    assert reason in run.text.replace("\n      ", " "), run.text
    assert list(attack.study.inbox.iterdir()) == []


def test_a_packet_with_a_failed_series_is_moved_whatever_the_journal_says(attack: Attack) -> None:
    summary = attack.study.session("S1") / "qxbatch" / "summary.json"
    content = json.loads(summary.read_text())
    content["problems"] = [{"code": "convert-failed", "subject": "series 1", "message": "failed", "severity": "error"}]
    summary.write_text(json.dumps(content))
    packet = attack.study.put("S7", TREE, Kind.ZIP)
    run = recovered(attack, attack.packets(packet))
    assert (attack.study.archive / packet.name).exists(), run.text


def test_a_packet_whose_links_lead_into_it_is_deleted(attack: Attack) -> None:
    packet = write_folder(TREE, attack.study.inbox / "S7")
    (packet / "first").symlink_to("T1")
    run = recovered(attack, attack.packets(packet))
    assert run.status == 0, run.text
    assert not packet.exists()
    assert list(attack.study.archive.iterdir()) == []


@pytest.mark.parametrize("target", [max(FILES), "../.git/annex/objects/key"])
def test_a_link_that_is_added_to_the_rest_of_a_packet_is_not_removed(
    study: Study, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    gone = killed(study, monkeypatch, Kind.FOLDER)
    (gone / FIRST).unlink()
    (gone / "scan.dcm").symlink_to(target)
    before = snapshot(gone)
    run = study.main("--check=no")
    assert run.status == 1, run.text
    assert f"{study.inbox / 'S1'}: changed" in run.text
    assert snapshot(study.inbox / "S1") == before


@pytest.mark.parametrize("names", [[], ["first"], ["first", FIRST]])
def test_a_link_of_the_packet_to_what_is_left_of_it_is_removed(
    study: Study, monkeypatch: pytest.MonkeyPatch, names: list[str]
) -> None:
    for name in ("first", "second"):
        (study.inbox / "S1").mkdir(exist_ok=True)
        (study.inbox / "S1" / name).symlink_to(max(FILES))
    gone = killed(study, monkeypatch, Kind.FOLDER)
    for name in names:
        (gone / name).unlink()
    run = study.main("--check=no")
    assert run.status == 0, run.text
    assert list(study.inbox.iterdir()) == []


def test_links_are_removed_before_what_they_lead_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packet = write_folder({"a/1": b"1", "b/2": b"2"}, tmp_path / "packet")
    for name in ("a/0", "b/3"):
        (packet / name).symlink_to("../a/1")
    removed: list[str] = []
    unlink = os.unlink

    def noted(name: str, **options: Any) -> None:
        removed.append(name)
        unlink(name, **options)

    monkeypatch.setattr(os, "unlink", noted)
    with opened_folder(tmp_path) as parent:
        with opened_in(parent, ("packet",)) as top:
            states = file_states_in(top)
        remove_unchanged(parent, "packet", states)
    assert sorted(removed[:2]) == ["0", "3"]
    assert sorted(removed[2:]) == ["1", "2"]
    assert not packet.exists()


def test_a_folder_that_contains_only_links_is_removed(tmp_path: Path) -> None:
    (tmp_path / "packet" / "a").mkdir(parents=True)
    (tmp_path / "packet" / "a" / "link").symlink_to("../b")
    with opened_folder(tmp_path) as parent:
        with opened_in(parent, ("packet",)) as top:
            states = file_states_in(top)
        remove_unchanged(parent, "packet", states)
    assert list(tmp_path.iterdir()) == []
