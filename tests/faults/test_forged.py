"""Everybody who may write to a sessions folder may write `.qxbatch` there: nothing in it makes a run touch files elsewhere."""

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from qxbatch.core import hash_file
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.publish import removal_list
from qxbatch.publish.journal import JOURNAL_VERSION
from qxbatch.publish.scratch import make_scratch
from qxbatch.publish.workspace import Workspace
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, write_folder
from tests.build.study import Study, snapshot
from tests.faults.attack import RUN, TREE, Attack, Forged


@pytest.fixture
def attack(study: Study) -> Attack:
    return Attack(study)


def in_a_link(attack: Attack) -> str:
    (attack.study.inbox / "link").symlink_to(attack.victim.parent)
    return "inbox/MR/link/thesis"


def through_a_linked_inbox(attack: Attack) -> str:
    attack.study.inbox.rmdir()
    attack.study.inbox.symlink_to(attack.victim.parent)
    return "inbox/MR/thesis"


@pytest.mark.parametrize("archive", ["delete", "move"])
@pytest.mark.parametrize(
    "named",
    [
        lambda attack: str(attack.victim),
        lambda attack: str(attack.victim / "thesis.tex"),
        lambda _: "inbox/MR/../../../home/thesis",
        lambda _: "../home/thesis",
        in_a_link,
        through_a_linked_inbox,
    ],
    ids=["a folder", "a file", "through the inbox", "beside the study", "in a link", "in a linked inbox"],
)
def test_a_journal_takes_no_packet_from_elsewhere(attack: Attack, named: Callable[[Attack], str], archive: str) -> None:
    name = named(attack)
    attack.forge_journal(archive=archive, packets=attack.packets(attack.study.sessions / name, name))
    assert "cannot be used" in attack.failed_run()


@pytest.mark.parametrize(
    "changes",
    [
        {"unit": "../../../home/thesis"},
        {"unit": "S2"},
        {"run": "../../../../home/thesis"},
        {"run": ""},
        {"sessions": ["../../home/x"], "ledgers": ["0" * 64]},
        {"sessions": ["inbox"], "ledgers": ["0" * 64]},
        {"sessions": [".."], "ledgers": ["0" * 64]},
        {"sessions": ["S1"], "ledgers": []},
        {"sessions": ["S2"], "ledgers": ["0" * 64]},
        {"sessions": ["S1-x"], "ledgers": ["0" * 64]},
        {"inbox": "../home/thesis"},
        {"inbox": "S2/inbox"},
        {"packets": [{"path": 7}]},
        {"packets": 7},
        {"sessions": None},
        {"version": JOURNAL_VERSION - 1},
        {"version": JOURNAL_VERSION + 1},
    ],
    ids=str,
)
def test_a_journal_that_is_not_of_its_unit_is_not_followed(attack: Attack, changes: Forged) -> None:
    attack.forge_journal(**changes)
    text = attack.failed_run()
    assert "cannot be used" in text
    assert "remove the journal and run again" in text


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "7", "[" * 10**5, '"version"'])
def test_an_invalid_journal_is_reported(attack: Attack, text: str) -> None:
    (attack.study.sessions / ".qxbatch" / "journal" / "S1.json").write_text(text)
    assert "cannot be used" in attack.failed_run()


def test_a_journal_that_is_a_pipe_or_a_link_stops_nothing(attack: Attack) -> None:
    folder = attack.study.sessions / ".qxbatch" / "journal"
    os.mkfifo(folder / "S1.json")
    attack.forge_journal("other", unit="S2")
    (folder / "S2.json").symlink_to(folder / "other.json")
    text = attack.failed_run()
    assert text.count("is not a file") == 2


@pytest.mark.parametrize("listed", ["thesis.tex", "../../home/thesis/thesis.tex", "link/thesis.tex"])
def test_a_list_of_taken_files_removes_none_elsewhere(attack: Attack, listed: str) -> None:
    inbox = attack.study.session("S1") / "inbox"
    inbox.parent.mkdir()
    if listed == "thesis.tex":
        inbox.symlink_to(attack.victim)
    else:
        inbox.mkdir()
        (inbox / "link").symlink_to(attack.victim)
    status = (attack.victim / "thesis.tex").stat()
    digest = hash_file(str(attack.victim / "thesis.tex"))[1]
    (attack.staging / "taken.tsv").write_text(f"{status.st_size}\t{status.st_mtime_ns}\t{digest}\t{listed}\n")
    attack.forge_journal(inbox="S1/inbox", with_inbox=False)
    before = snapshot(attack.top / "home")
    run = attack.study.main("--check=no")
    assert snapshot(attack.top / "home") == before, run.text
    assert not (attack.study.sessions / ".qxbatch").exists(), "it was followed"


def test_a_journal_without_a_session_deletes_no_packet(attack: Attack) -> None:
    packet = attack.study.put("other", TREE, Kind.ZIP)
    before = packet.read_bytes()
    attack.forge_journal(packets=attack.packets(packet))
    run = attack.study.main("--test=no", "--sessions=nothing", "--check=no", "--archive=delete")
    assert packet.read_bytes() == before, run.text
    assert "it has no session, so none of its packets is imported" in run.text


def true_rows(rows: list[list[str]], _: str) -> list[list[str]]:
    """Return the rows unchanged."""
    return rows


def opened_row(rows: list[list[str]], digest: str) -> list[list[str]]:
    return [*rows, ["mine", "1", digest, digest, "archive", "opened", "", "", ""]]


def kept_row(rows: list[list[str]], digest: str) -> list[list[str]]:
    return [[*row[:2], digest, *row[3:]] if row[5] == "kept" else row for row in rows]


def sorted_row(rows: list[list[str]], digest: str) -> list[list[str]]:
    return [[*row[:2], digest, *row[3:]] if row[5] == "sorted" else row for row in rows]


@pytest.mark.parametrize("forge", [true_rows, opened_row, kept_row, sorted_row])
@pytest.mark.parametrize("archive", ["delete", "move", "copy"])
def test_a_journal_of_a_session_archives_no_packet_with_other_bytes(
    attack: Attack, archive: str, forge: Callable[[list[list[str]], str], list[list[str]]]
) -> None:
    attack.import_session()
    (name, data), *_ = MrSeries(patient="P9").files().items()
    packet = attack.study.put("other", {name: data}, Kind.ZIP)
    before = packet.read_bytes()
    ledger = attack.study.session("S1") / "qxbatch" / "ledger.tsv"
    head, *rows = [line.split("\t") for line in ledger.read_text().splitlines()]
    ledger.write_text("".join("\t".join(row) + "\n" for row in [head, *forge(rows, hashlib.sha256(data).hexdigest())]))
    attack.forge_journal(
        sessions=["S1"], ledgers=[attack.ledger_hash("S1")], packets=attack.packets(packet), archive=archive
    )
    assert "stays where it is" in attack.failed_run(f"--archive={archive}", "--sessions=nothing")
    assert packet.read_bytes() == before
    assert [path.name for path in attack.study.archive.iterdir()] == ["S1.zip"]


def test_a_list_of_taken_files_removes_no_file_that_the_session_does_not_have(attack: Attack) -> None:
    attack.import_session()
    inbox = attack.study.session("S1") / "inbox"
    lines = []
    for path, data in ((inbox / "mine", b"mine\n"), (inbox / "of the session", TREE["README"])):
        path.write_bytes(data)
        status = path.stat()
        digest = hashlib.sha256(data).hexdigest()
        lines.append(f"{status.st_size}\t{status.st_mtime_ns}\t{digest}\t{path.name}\n")
    (attack.staging / "taken.tsv").write_text("".join(lines))
    attack.forge_journal(sessions=["S1"], ledgers=[attack.ledger_hash("S1")], inbox="S1/inbox", with_inbox=False)
    assert f"{inbox / 'mine'}: stays in the inbox, because no session contains its bytes" in attack.failed_run()
    assert sorted(path.name for path in inbox.iterdir()) == ["README", "mine"]


def test_a_journal_whose_recovery_runs_out_of_memory_stops_no_other_session(
    attack: Attack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("qxbatch.pipeline.recover.finish", fail)
    attack.forge_journal()
    attack.study.put("S2", TREE, Kind.ZIP)
    text = attack.failed_run()
    assert "cannot be finished: cannot allocate memory" in text
    assert (attack.study.session("S2") / "session.txt").exists()


@pytest.mark.parametrize("name", [f"qxbatch-S1-{RUN}", "thesis", "qxbatch-S1-0123456789ab"])
def test_a_recorded_scratch_folder_that_no_run_created_is_not_removed(attack: Attack, name: str) -> None:
    recorded = attack.victim.with_name(name)
    if recorded != attack.victim:
        attack.victim.rename(recorded)
    (attack.staging / "scratch.txt").write_text(str(recorded))
    (attack.staging.parent / "scratch.txt").write_text(str(recorded))
    before = snapshot(attack.top / "home")
    assert attack.study.main("--check=no").status == 0
    assert snapshot(attack.top / "home") == before
    assert not (attack.study.sessions / ".qxbatch").exists()


@pytest.mark.parametrize("linked", ["", "work", "journal", "locks"])
def test_a_hidden_folder_that_is_a_link_is_not_entered(attack: Attack, linked: str) -> None:
    hidden = attack.study.sessions / ".qxbatch"
    link = hidden / linked if linked else hidden
    if link.exists():
        link.rename(attack.top / "away")
    link.symlink_to(attack.victim.parent)
    attack.study.put("S1", TREE, Kind.ZIP)
    before = snapshot(attack.top / "home")
    run = attack.study.main()
    assert run.status == 73, run.text
    assert f"{link}: is a link" in run.text
    assert snapshot(attack.top / "home") == before


@pytest.mark.parametrize("linked", ["S1", f"S1/{RUN}", f"S1/{RUN}/build", f"S1/{RUN}/old", f"S1/{RUN}/scratch"])
@pytest.mark.parametrize("journal", [True, False])
def test_staging_that_is_a_link_is_not_entered(attack: Attack, linked: str, journal: bool) -> None:
    link = attack.study.sessions / ".qxbatch" / "work" / linked
    if link.is_dir():
        link.rename(attack.top / "away")
    link.symlink_to(attack.victim.parent)
    (attack.victim.parent / "S1").mkdir()
    (attack.victim.parent / "S1" / "mine").write_text("mine\n")
    if journal:
        attack.forge_journal(sessions=["S1"], ledgers=["0" * 64])
    before = snapshot(attack.top / "home")
    run = attack.study.main("--check=no")
    assert "Traceback" not in run.text
    assert snapshot(attack.top / "home") == before, run.text
    assert (run.status == 1) == journal


@pytest.mark.parametrize("module", ["publish.workspace.recorded_scratch", "pipeline.recover.end_orphans"])
def test_staging_that_becomes_a_link_while_it_is_removed_is_not_entered(
    attack: Attack, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    home = attack.victim.parent
    run = Workspace(attack.study.sessions).run
    attack.staging.rename(attack.staging.with_name(run))
    write_folder({"mine": b"mine\n", f"{run}/build/mine": b"mine\n"}, home / "S1")
    work = attack.staging.parent.parent

    def exchange(*_: object) -> None:
        if not work.is_symlink():
            work.rename(attack.top / "away")
            work.symlink_to(home)

    monkeypatch.setattr(f"qxbatch.{module}", exchange)
    assert f"{work}: is a link" in attack.failed_run().replace("\n      ", "")


def test_a_scratch_folder_that_becomes_a_link_while_it_is_removed_is_not_followed(
    attack: Attack, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Workspace(attack.study.sessions).run
    attack.staging = attack.staging.rename(attack.staging.with_name(run))
    scratch = attack.top / f"qxbatch-S1-{run}"
    make_scratch(scratch, run)
    write_folder({"thesis/x": b"", "thesis/y": b""}, scratch)
    (attack.staging / "scratch.txt").write_text(str(scratch))
    unlink = os.unlink

    def exchange(name: str, **options: int) -> None:
        unlink(name, **options)
        if name in ("x", "y") and not scratch.is_symlink():
            scratch.rename(attack.top / "away")
            scratch.symlink_to(attack.victim.parent)

    before = snapshot(attack.victim.parent)
    monkeypatch.setattr(os, "unlink", exchange)
    assert attack.study.main("--check=no").status == 0
    assert snapshot(attack.victim.parent) == before
    assert scratch.is_symlink()


def link_to_victim(attack: Attack, link: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(attack.victim)


def kept_files(attack: Attack) -> Path:
    return attack.staging / "old" / "S1.kept"


def kept_subfolder(attack: Attack) -> Path:
    return attack.staging / "old" / "S1.kept" / "dicom" / "30"


def remaining_files(attack: Attack) -> Path:
    return attack.staging / "old" / "S1.rest"


def inbox_of_the_build(attack: Attack) -> Path:
    return attack.staging / "build" / "S1" / "inbox"


def images_of_the_build(attack: Attack) -> Path:
    return attack.staging / "build" / "S1" / "nii"


def inbox_of_the_session(attack: Attack) -> Path:
    (attack.staging / "build" / "S1" / "inbox").mkdir(parents=True)
    (attack.staging / "build" / "S1" / "inbox" / "mine").write_text("not yours\n")
    shutil.rmtree(attack.study.session("S1") / "inbox")
    return attack.study.session("S1") / "inbox"


@pytest.mark.parametrize(
    "linked",
    [kept_files, kept_subfolder, remaining_files, inbox_of_the_build, images_of_the_build, inbox_of_the_session],
)
def test_a_link_where_an_exchange_writes_is_named_and_not_followed(
    attack: Attack, linked: Callable[[Attack], Path]
) -> None:
    attack.import_session()
    write_folder({"dicom/30/thesis.tex": b"mine\n"}, attack.staging / "old" / "S1")
    link = linked(attack)
    link_to_victim(attack, link)
    attack.forge_journal(sessions=["S1"], ledgers=[attack.ledger_hash("S1")], archive="leave", with_inbox=False)
    assert f"{link.name}: is a link" in attack.failed_run().replace("\n      ", "")


def test_the_scratch_folder_of_a_comparison_with_the_archive_is_a_new_one(attack: Attack) -> None:
    attack.import_session()
    old = attack.staging / "old" / "S1"
    write_folder({"dicom/30/x": b"mine\n"}, old)
    shutil.copytree(attack.study.session("S1") / "qxbatch", old / "qxbatch")
    link_to_victim(attack, old.with_name("S1.check"))
    attack.forge_journal(sessions=["S1"], ledgers=[attack.ledger_hash("S1")], archive="leave")
    before = snapshot(attack.top / "home")
    run = attack.study.main("--check=no")
    assert run.status == 0, run.text
    assert snapshot(attack.top / "home") == before
    assert (attack.study.archive.parent / "replaced" / "S1-1" / "dicom" / "30" / "x").read_text() == "mine\n"


def test_the_scratch_folder_in_which_a_packet_is_compared_is_a_new_one(attack: Attack) -> None:
    attack.import_session()
    packet = attack.study.put("S1", TREE, Kind.FOLDER)
    link_to_victim(attack, attack.staging / "again")
    described = attack.packets(packet)
    described[0]["fingerprint"] = asdict(fingerprint(packet)) | {"ctimes": 0}
    attack.forge_journal(sessions=["S1"], ledgers=[attack.ledger_hash("S1")], packets=described, archive="move")
    before = snapshot(attack.top / "home")
    run = attack.study.main("--check=no")
    assert run.status == 0, run.text
    assert snapshot(attack.top / "home") == before
    assert (attack.study.archive / "S1").is_dir(), "its bytes are those of the session"


def test_a_hidden_folder_of_jobs_alone_that_is_a_link_is_not_entered(attack: Attack) -> None:
    shutil.rmtree(attack.study.sessions / ".qxbatch")
    (attack.victim / "jobs").mkdir()
    (attack.study.sessions / ".qxbatch").symlink_to(attack.victim)
    attack.study.put("S1", TREE, Kind.ZIP)
    before = snapshot(attack.top / "home")
    run = attack.study.main("--check=no")
    assert run.status == 73, run.text
    assert snapshot(attack.top / "home") == before


@pytest.mark.parametrize("number", [10**300, 0, -1, 10**6])
def test_a_journal_with_an_archive_number_that_no_run_gives_is_not_followed(attack: Attack, number: int) -> None:
    packet = attack.study.put("S1", TREE, Kind.ZIP)
    attack.forge_journal(packets=[{**each, "number": number} for each in attack.packets(packet)])
    assert "cannot be used" in attack.failed_run()


def test_a_list_of_taken_files_that_is_too_large_is_not_read(attack: Attack) -> None:
    (attack.study.session("S1") / "inbox").mkdir(parents=True)
    (attack.staging / "taken.tsv").touch()
    os.truncate(attack.staging / "taken.tsv", 1 << 42)
    attack.forge_journal(inbox="S1/inbox", with_inbox=False)
    assert "has more than" in attack.failed_run()


def test_a_list_of_taken_files_with_a_line_that_is_too_long_is_not_used(
    attack: Attack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal_list, "LONGEST_LINE", 100)
    (attack.study.session("S1") / "inbox").mkdir(parents=True)
    (attack.staging / "taken.tsv").write_text(f"1\t1\t0\t{'x' * 1000}\n")
    attack.forge_journal(inbox="S1/inbox", with_inbox=False)
    assert "cannot be used" in attack.failed_run()


@pytest.mark.parametrize("text", ["1\t2\n", "x\ty\tz\tname\n", "\udcff\t1\t1\t1\n"])
def test_a_damaged_list_of_taken_files_is_reported(attack: Attack, text: str) -> None:
    (attack.study.session("S1") / "inbox").mkdir(parents=True)
    (attack.staging / "taken.tsv").write_text(text, encoding="utf-8", errors="surrogateescape")
    attack.forge_journal(inbox="S1/inbox", with_inbox=False)
    assert "cannot be used" in attack.failed_run()
