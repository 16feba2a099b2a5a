"""A forged ledger proves no bytes that are not in its session, so a journal with it takes no packet from its inbox."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from qxbatch.publish.exchange import publish
from qxbatch.publish.kept_files import RenamedFile
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under, write_folder
from tests.build.study import Study, run_main, snapshot
from tests.faults.attack import Attack

FILES = MrSeries(patient="P9").files()


@pytest.fixture
def attack(study: Study) -> Attack:
    attack = Attack(study)
    attack.import_session()
    return attack


def add_rows(attack: Attack, at: Callable[[str], str], fate: str = "sorted") -> None:
    """Add a row for each of FILES to the ledger of S1; `at` returns the cell `at` of a file name."""
    ledger = attack.study.session("S1") / "qxbatch" / "ledger.tsv"
    with ledger.open("a") as file:
        for name, data in FILES.items():
            digest = hashlib.sha256(data).hexdigest()
            file.write("\t".join((name, str(len(data)), digest, digest, "dicom", fate, at(name), "9", "")) + "\n")


def outside(attack: Attack) -> Path:
    packet = attack.study.put("P9", under("9", FILES), Kind.TAR_GZ)
    path = os.path.relpath(packet, attack.study.session("S1") / "dicom")
    add_rows(attack, lambda name: f"dicom/{path}!9/{name}")
    return packet


def twice_at_one_place(attack: Attack) -> Path:
    ledger = attack.study.session("S1") / "qxbatch" / "ledger.tsv"
    head, *rows = ledger.read_text().splitlines(keepends=True)
    at = next(row.split("\t")[6] for row in rows if "!" in row)
    ledger.write_text(head)
    add_rows(attack, lambda _: at)
    ledger.write_text(ledger.read_text() + "".join(rows))
    return attack.study.put("P9", FILES, Kind.ZIP)


def through_a_link(attack: Attack) -> Path:
    packet = attack.study.put("P9", FILES, Kind.FOLDER)
    folder = attack.study.session("S1") / "dicom" / "9"
    folder.mkdir()
    for name in FILES:
        (folder / name).symlink_to(packet / name)
    add_rows(attack, lambda name: f"dicom/9/{name}")
    return packet


def through_a_linked_folder(attack: Attack) -> Path:
    packet = attack.study.put("P9", FILES, Kind.FOLDER)
    (attack.study.session("S1") / "dicom" / "9").symlink_to(packet)
    add_rows(attack, lambda name: f"dicom/9/{name}")
    return packet


@pytest.mark.parametrize("archive", ["delete", "move"])
@pytest.mark.parametrize("forge", [outside, twice_at_one_place, through_a_link, through_a_linked_folder])
def test_a_ledger_proves_only_bytes_of_its_session(
    attack: Attack, forge: Callable[[Attack], Path], archive: str
) -> None:
    packet = forge(attack)
    before = snapshot(packet.parent)
    attack.forge_journal(
        sessions=["S1"], ledgers=[attack.ledger_hash("S1")], packets=attack.packets(packet), archive=archive
    )
    attack.failed_run(f"--archive={archive}", "--sessions=nothing")
    assert snapshot(packet.parent) == before


@pytest.mark.parametrize("fate", ["kept", "sorted"])
def test_what_is_in_the_inbox_does_not_prove_itself(attack: Attack, fate: str) -> None:
    packet = write_folder(FILES, attack.study.session("S1") / "inbox" / "P9")
    add_rows(attack, lambda name: f"inbox/P9/{name}", fate)
    attack.forge_journal(
        sessions=["S1"],
        ledgers=[attack.ledger_hash("S1")],
        packets=attack.packets(packet),
        inbox="S1/inbox",
        with_inbox=False,
    )
    before = snapshot(packet)
    attack.failed_run("--archive=delete", "--sessions=nothing")
    assert snapshot(packet) == before


def test_a_list_of_taken_files_removes_no_file_that_only_the_inbox_has(attack: Attack) -> None:
    readme = attack.study.session("S1") / "inbox" / "README"
    status, digest = readme.stat(), hashlib.sha256(readme.read_bytes()).hexdigest()
    (attack.staging / "taken.tsv").write_text(f"{status.st_size}\t{status.st_mtime_ns}\t{digest}\tREADME\n")
    attack.forge_journal(sessions=["S1"], ledgers=[attack.ledger_hash("S1")], inbox="S1/inbox", with_inbox=False)
    assert "no session contains its bytes now" in attack.failed_run()
    assert readme.exists()


@pytest.mark.parametrize("forge", [outside, twice_at_one_place])
def test_verify_names_a_forged_place(attack: Attack, forge: Callable[[Attack], Path]) -> None:
    forge(attack)
    run = run_main("verify", str(attack.study.session("S1")))
    assert run.status == 1, run.text
    assert "the ledger " in run.text


def test_verify_follows_the_links_of_an_annex(attack: Attack) -> None:
    session = attack.study.session("S1")
    for name in ("dicom/30.tar.gz", "nii/31.nii.gz", "inbox/README"):
        path = session / name
        path.rename(attack.top / path.name)
        path.symlink_to(attack.top / path.name)
    run = run_main("verify", str(session))
    assert run.status == 0, run.text


def test_a_run_does_not_read_its_own_list_of_taken_files_again(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = study.session("S1") / "inbox"
    write_folder({**under("scan", FILES), "notes.txt": b"my only notes\n"}, inbox)
    notes = inbox / "notes.txt"
    status, digest = notes.stat(), hashlib.sha256(notes.read_bytes()).hexdigest()

    def forge_and_publish(
        build: Path, target: Path, old: Path, *, with_inbox: bool, replace: bool
    ) -> list[RenamedFile]:
        (taken,) = study.sessions.glob(".qxbatch/work/S1/*/taken.tsv")
        with taken.open("a") as file:
            file.write(f"{status.st_size}\t{status.st_mtime_ns}\t{digest}\tnotes.txt\n")
        return publish(build, target, old, with_inbox=with_inbox, replace=replace)

    monkeypatch.setattr("qxbatch.pipeline.publishing.publish", forge_and_publish)
    run = study.main("--masterinbox=none", "--sessions=S1", "--check=no")
    assert run.status == 0, run.text
    assert list(snapshot(inbox)) == ["notes.txt"]
