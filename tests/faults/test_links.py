"""Inboxes, sessions and packets that are links: their targets are read, and not changed."""

import os
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from qxbatch.pipeline.check_published import check_published
from qxbatch.problems import Problem
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, Tree, packed, under, write_folder, write_packet
from tests.build.study import Study, run_command, snapshot
from tests.faults.test_finished_packets import interrupt

TREE: Tree = {**under("T1", MrSeries(patient="P1").files()), "README": b"of the scanner\n"}
MODES = ("move", "copy", "leave", "delete")
FOLDER_MODE = ("--masterinbox=none", "--sessions=S1")


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A folder outside of the study, with data."""
    folder = tmp_path / "raw"
    write_folder(TREE, folder / "S1")
    return folder


@pytest.mark.parametrize("archive", MODES)
def test_a_master_inbox_that_is_a_link_is_read_and_not_changed(study: Study, raw: Path, archive: str) -> None:
    study.inbox.rmdir()
    study.inbox.symlink_to(raw)
    before = snapshot(raw)
    run = study.main(f"--archive={archive}")
    assert run.status == 0, run.text
    assert study.session_names() == ["S1"]
    assert snapshot(raw) == before
    assert ("is reached through a link, and qxbatch does not change the target of a link" in run.text) == (
        archive in ("move", "delete")
    )
    assert (study.archive / "S1" / "README").exists() == (archive == "copy")
    assert not (study.sessions / ".qxbatch").exists()
    assert "--sessions=S1" not in run.text, "the same command would find the session there"


@pytest.mark.parametrize("archive", ["move", "delete"])
@pytest.mark.parametrize(
    ("sessions", "inbox"),
    [
        ("study/sessions", "study/../study/sessions/inbox/MR"),
        ("named/sessions", "study/sessions/inbox/MR"),
        ("study/sessions", "named/sessions/inbox/MR"),
    ],
)
def test_a_link_in_the_sessions_folder_is_recognised_by_any_path(
    study: Study, raw: Path, tmp_path: Path, archive: str, sessions: str, inbox: str
) -> None:
    study.inbox.rmdir()
    study.inbox.symlink_to(raw)
    (tmp_path / "named").symlink_to("study")
    before = snapshot(raw)
    run = run_command(f"{tmp_path}/{sessions}", f"--masterinbox={tmp_path}/{inbox}", f"--archive={archive}")
    assert run.status == 0, run.text
    assert study.session_names() == ["S1"]
    assert snapshot(raw) == before


def test_the_target_of_a_link_given_as_master_inbox_is_emptied(study: Study, raw: Path, tmp_path: Path) -> None:
    (tmp_path / "named").symlink_to(raw)
    run = study.main(f"--masterinbox={tmp_path / 'named'}")
    assert run.status == 0, run.text
    assert list(raw.iterdir()) == []


@pytest.mark.parametrize("archive", ["move", "delete"])
@pytest.mark.parametrize("mode", ["inbox", "folder"])
def test_a_folder_that_becomes_a_link_during_the_import_keeps_the_packets_of_its_target(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archive: str, mode: str
) -> None:
    folder = study.inbox if mode == "inbox" else study.session("S1") / "inbox" / "sub"
    folder.mkdir(parents=True, exist_ok=True)
    write_packet(TREE, folder, "S1", Kind.ZIP)
    backup = tmp_path / "backup"
    shutil.copytree(folder, backup, copy_function=shutil.copy2)
    before = snapshot(backup)

    def exchange(*args: Any, **options: Any) -> list[Problem]:
        folder.rename(folder.with_name("away"))
        folder.symlink_to(backup)
        return check_published(*args, **options)

    monkeypatch.setattr("qxbatch.pipeline.finish.check_published", exchange)
    run = study.main(*(FOLDER_MODE if mode == "folder" else ()), f"--archive={archive}")
    assert run.status == 1, run.text
    assert snapshot(backup) == before


@pytest.mark.parametrize("more", [(), ("--deidentify-logs",)], ids=["with names", "de-identified"])
@pytest.mark.parametrize("mode", ["inbox", "folder"])
def test_the_packet_of_an_interrupted_run_is_not_moved_through_a_link(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, more: tuple[str, ...]
) -> None:
    folder = study.inbox if mode == "inbox" else study.session("S1") / "inbox"
    packet = write_packet(TREE, folder, "S1", Kind.ZIP)
    args = [*(FOLDER_MODE if mode == "folder" else ()), "--archive=move", *more]
    interrupt(study, monkeypatch, *args)
    folder.rename(tmp_path / "away")
    folder.symlink_to(tmp_path / "away")
    run = study.main(*args)
    assert run.status == 1, run.text
    text = " ".join(run.text.split())
    assert f"{'a packet' if more else packet} is reached through a link now, and qxbatch does not move a packet" in text
    assert "in no inbox of this run" not in text
    folder.unlink()
    (tmp_path / "away").rename(folder)
    assert study.main(*args).status == 0
    assert (study.archive / "S1.zip").exists()


@pytest.mark.parametrize("linked", ["", "dicom", "qxbatch", "qxbatch/pictures", "inbox"])
def test_a_published_session_is_not_verified_through_a_link(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linked: str
) -> None:
    packet = study.put("S1", TREE)
    before = snapshot(study.inbox)
    folder = study.session("S1") / linked
    problems: list[Problem] = []

    def exchange(*args: Any, **options: Any) -> list[Problem]:
        folder.rename(tmp_path / "elsewhere")
        folder.symlink_to(tmp_path / "elsewhere")
        problems.extend(check_published(*args, **options))
        return problems

    monkeypatch.setattr("qxbatch.pipeline.finish.check_published", exchange)
    assert study.main("--archive=delete").status == 1
    assert [f"{folder} is a link" in problem.message for problem in problems] == [True]
    assert snapshot(study.inbox) == before, packet


@pytest.mark.parametrize("archive", MODES)
def test_a_session_inbox_that_is_a_link_is_read_and_not_changed(study: Study, raw: Path, archive: str) -> None:
    (raw / "S1" / "scan.zip").write_bytes(packed(MrSeries(patient="P1", number=9).files(), Kind.ZIP))
    study.session("S1").mkdir()
    (study.session("S1") / "inbox").symlink_to(raw / "S1")
    before = snapshot(raw)
    run = study.main(*FOLDER_MODE, f"--archive={archive}")
    assert run.status == 0, run.text
    assert snapshot(raw) == before
    assert len(list((study.session("S1") / "dicom").glob("*.tar.gz"))) == 2
    assert run_command("verify", str(study.session("S1"))).status == 0
    assert (study.archive / "scan.zip").exists() == (archive == "copy")


def test_nothing_is_written_through_a_link_to_a_session_inbox(study: Study, raw: Path) -> None:
    (raw / "S1" / "scan.zip").write_bytes(packed({**TREE, "notes.txt": b"kept\n"}, Kind.ZIP))
    study.session("S1").mkdir()
    (study.session("S1") / "inbox").symlink_to(raw / "S1")
    before = snapshot(raw)
    run = study.main(*FOLDER_MODE)
    assert run.status == 1, run.text
    assert "is a link" in run.text
    assert snapshot(raw) == before
    assert [path.name for path in study.session("S1").iterdir()] == ["inbox"]


@pytest.mark.parametrize("archive", MODES)
def test_links_inside_a_packet_are_kept_as_links(study: Study, raw: Path, archive: str) -> None:
    packet = study.put("S1", TREE, Kind.FOLDER)
    (packet / "folder").symlink_to(raw)
    (packet / "file").symlink_to(raw / "S1" / "README")
    (packet / "nowhere").symlink_to("nowhere")
    before = snapshot(raw)
    run = study.main(f"--archive={archive}")
    assert run.status == 0, run.text
    assert snapshot(raw) == before
    if archive in ("move", "copy", "delete"):
        assert (study.archive / "S1" / "file").is_symlink()
    assert ("may not be deleted, since it contains links" in run.text) == (archive == "delete")


ANNEX = ".git/annex/objects"


def annex(top: Path, files: Tree, *, locked: int) -> Path:
    """Write files as git-annex has them, the first `locked` ones as links to objects below `.git`; return their folder."""
    for k, (name, data) in enumerate(files.items()):
        path = top / "P1" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if k >= locked:
            path.write_bytes(data)
            continue
        target = top / ANNEX / f"{k:02}" / f"key-{k}" / f"key-{k}"
        target.parent.mkdir(parents=True)
        target.write_bytes(data)
        target.chmod(0o444)
        target.parent.chmod(0o555)
        path.symlink_to(os.path.relpath(target, path.parent))
    return top / "P1"


@pytest.mark.parametrize("archive", MODES)
@pytest.mark.parametrize("locked", [1, len(TREE)])
def test_objects_of_an_annex_stay(study: Study, archive: str, locked: int) -> None:
    packet = annex(study.inbox, TREE, locked=locked)
    links = {path.name: path.readlink() for path in packet.rglob("*") if path.is_symlink()}
    objects = snapshot(study.inbox / ".git")
    run = study.main(f"--archive={archive}", "--sessions=P1")
    assert snapshot(study.inbox / ".git") == objects
    folders = (packet, study.archive / "P1")
    remaining = [path for folder in folders for path in folder.rglob("*") if path.is_symlink()]
    assert {path.name: path.readlink() for path in remaining} == links, run.text
    if locked == len(TREE):  # nothing can be imported, and the message says how to replace the links
        assert run.status == 1
        assert "cp -rL" in run.text
        assert packet.exists()


@pytest.mark.parametrize("archive", MODES)
def test_a_packet_with_its_own_annex_is_imported(study: Study, archive: str) -> None:
    top = study.inbox / "P1"
    annex(top, TREE, locked=len(TREE))
    run = study.main(f"--archive={archive}")
    assert run.status == 0, run.text
    assert run_command("verify", str(study.session("P1"))).status == 0
    assert top.exists() == (archive in ("leave", "copy"))
    assert (study.archive / "P1").exists() == (archive in ("move", "copy"))


@pytest.mark.parametrize("kind", [Kind.ZIP, Kind.TAR])
def test_an_archive_with_a_link_is_moved_instead_of_deleted(study: Study, kind: Kind) -> None:
    packet = write_packet(TREE, study.inbox, "S1", kind)
    if kind is Kind.TAR:
        with tarfile.open(packet, "a") as archive:
            member = tarfile.TarInfo("outside")
            member.type, member.linkname = tarfile.SYMTYPE, "../raw/IM0009"
            archive.addfile(member)
    else:
        with zipfile.ZipFile(packet, "a") as zipped:
            info = zipfile.ZipInfo("outside")
            info.create_system, info.external_attr = 3, 0o120777 << 16
            zipped.writestr(info, "../raw/IM0009")
    data = packet.read_bytes()
    run = study.main("--archive=delete")
    assert run.status == 0, run.text
    assert (study.archive / packet.name).read_bytes() == data


@pytest.mark.parametrize("archive", MODES)
@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP])
def test_a_packet_that_is_a_link_leads_to_data_that_stay(study: Study, raw: Path, archive: str, kind: Kind) -> None:
    if kind is Kind.ZIP:
        (raw / "S1.zip").write_bytes(packed(TREE, kind))
    name = "S1.zip" if kind is Kind.ZIP else "S1"
    (study.inbox / name).symlink_to(Path("../../../../raw") / name)
    before = snapshot(raw)
    run = study.main(f"--archive={archive}")
    assert run.status == 0, run.text
    assert snapshot(raw) == before
    assert (study.inbox / name).is_symlink() == (archive in ("copy", "leave"))
    if archive in ("move", "copy"):
        assert (study.archive / name).exists()


@pytest.mark.parametrize("archive", MODES)
@pytest.mark.parametrize("relative", [True, False], ids=["relative", "absolute"])
def test_an_archive_in_a_session_inbox_that_is_a_link_leads_to_data_that_stay(
    study: Study, raw: Path, archive: str, relative: bool
) -> None:
    (raw / "scan.zip").write_bytes(packed(TREE, Kind.ZIP))
    link = study.session("S1") / "inbox" / "scan.zip"
    link.parent.mkdir(parents=True)
    link.symlink_to(Path("../../../../raw/scan.zip") if relative else raw / "scan.zip")
    before = snapshot(raw)
    run = study.main(*FOLDER_MODE, f"--archive={archive}")
    assert run.status == 0, run.text
    assert snapshot(raw) == before
    assert run_command("verify", str(study.session("S1"))).status == 0
    assert link.is_symlink() == (archive in ("copy", "leave"))
    archived = study.archive / "scan.zip"
    assert archived.is_symlink() == (archive == "move")
    assert not archived.exists() or archived.read_bytes() == (raw / "scan.zip").read_bytes()
    assert archived.exists() == (archive in ("move", "copy"))


@pytest.mark.parametrize("archive", MODES)
def test_other_links_in_a_session_inbox_are_not_followed_and_are_counted(study: Study, raw: Path, archive: str) -> None:
    (raw / "scan.zip").write_bytes(packed(TREE, Kind.ZIP))
    (raw / "table.xlsx").write_bytes(packed({"a.xml": b"<a/>"}, Kind.ZIP))
    inbox = study.session("S1") / "inbox"
    write_folder(under("T2", MrSeries(patient="P1", number=7).files()), inbox)
    links = {"T2/scan.zip": "scan.zip", "image": "S1/T1/IM0001", "folder": "S1", "table.xlsx": "table.xlsx"}
    for name, target in links.items():
        (inbox / name).symlink_to(raw / target)
    before = snapshot(raw)
    run = study.main(*FOLDER_MODE, f"--archive={archive}")
    assert run.status == 0, run.text
    assert snapshot(raw) == before
    assert all((inbox / name).is_symlink() for name in links)
    assert "4 symbolic links, which are not followed" in run.text
    assert run_command("verify", str(study.session("S1"))).status == 0


@pytest.mark.parametrize("what", ["a link to nothing", "not a folder"])
def test_a_session_folder_that_cannot_be_one_is_refused_in_the_plan(study: Study, what: str) -> None:
    study.put("S1", TREE)
    if what == "not a folder":
        study.session("S1").write_text("of another program")
    else:
        study.session("S1").symlink_to("nothing")
    before = snapshot(study.sessions)
    for options in (("--test",), (), ("--overwrite=yes",)):
        run = study.main(*options)
        assert run.status == 1, run.text
        assert run.text.count(f"its session folder {study.session('S1')} is {what}.") == 1
        assert "ready" not in run.text.replace("Nothing is ready", "")
    assert snapshot(study.sessions) == before


@pytest.mark.parametrize("archive", ["move", "delete"])
@pytest.mark.parametrize(("mode", "kind"), [("inbox", Kind.FOLDER), ("inbox", Kind.ZIP), ("folder", Kind.ZIP)])
def test_a_link_is_archived_before_the_packet_that_it_leads_to(
    study: Study, archive: str, kind: Kind, mode: str
) -> None:
    folder = study.inbox if mode == "inbox" else study.session("S1") / "inbox"
    write_packet(TREE, folder, "S1-a", kind)
    (folder / f"S1-b{kind}").symlink_to(f"S1-c{kind}")
    (folder / f"S1-c{kind}").symlink_to(f"S1-a{kind}")
    options = ("--on-same-session=merge", r"--pattern=(?P<packet_name>S1)") if mode == "inbox" else FOLDER_MODE
    run = study.main("--check=no", f"--archive={archive}", *options)
    assert run.status == 0, run.text
    assert not any(os.path.lexists(folder / f"S1-{letter}{kind}") for letter in "abc")
    names = [f"S1-{letter}{kind}" for letter in "abc"] if archive == "move" else []
    assert sorted(path.name for path in study.archive.glob("*")) == names
    assert not (study.sessions / ".qxbatch").exists()
