"""Folder mode: data are in the inboxes of sessions, and no run loses any."""

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qxbatch.core import ingest
from tests.build import lzw, zst
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, Tree, packed, read_tree, under, write_folder, write_packet, zipped
from tests.build.parrec import ParRec
from tests.build.study import Run, Study, run_main, snapshot
from tests.endtoend.judge import Judge

FOLDER_MODE = ("--masterinbox=none", "--sessions=S*")
T1 = MrSeries(number=3, description="T1w")
BOLD = MrSeries(number=4, description="BOLD", volumes=2, time="102000")
LATE = MrSeries(number=5, description="late", time="103000")
LOOSE = {**under("a/b/c", T1.files()), "a/README": b"words", ".hidden/.notes": b"dot", "top.txt": b"top"}
INNER = {**under("x", BOLD.files()), "x/protocol.pdf": b"%PDF"}


@pytest.fixture
def inbox(study: Study) -> Path:
    """The inbox of session S1."""
    folder = study.session("S1") / "inbox"
    folder.mkdir(parents=True)
    return folder


def successful(run: Run) -> Run:
    """Return a run that must have ended with status 0."""
    assert run.status == 0, run.text
    return run


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def fates(session: Path) -> dict[str, str]:
    return {row["path"]: row["fate"] for row in Judge(session).rows}


def test_loose_files_at_any_depth(study: Study, inbox: Path) -> None:
    write_folder(LOOSE, inbox)
    successful(study.main(*FOLDER_MODE))
    judge = Judge(study.session("S1")).check(LOOSE)
    assert sorted(judge.text.images) == [31]
    assert read_tree(inbox) == {name: data for name, data in LOOSE.items() if "/IM" not in name}
    assert names(inbox / "a") == ["README"], "emptied folders are removed with their files"


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.FOLDER], ids=lambda kind: kind.name.lower())
def test_an_archive_of_any_kind(study: Study, inbox: Path, kind: Kind) -> None:
    archive = write_packet(INNER, inbox, "scan", kind)
    data = archive.read_bytes()
    successful(study.main(*FOLDER_MODE))
    judge = Judge(study.session("S1")).check({})
    assert sorted(judge.text.images) == [41]
    assert fates(study.session("S1"))[f"{archive.name}!x/IM0001"] == "sorted"
    assert read_tree(inbox) == {f"{archive.name}_files/x/protocol.pdf": b"%PDF"}
    assert (study.archive / archive.name).read_bytes() == data


def test_kept_files_of_two_folders_that_would_get_the_same_name_are_all_kept(study: Study, inbox: Path) -> None:
    folders = {"P": T1, "P_files": BOLD}
    for folder, series in folders.items():
        write_packet({**series.files(), "README": folder.encode()}, inbox / folder, "scan", Kind.ZIP)
    for overwrite in ("no", "yes"):
        successful(study.main(*FOLDER_MODE, "--archive=leave", f"--overwrite={overwrite}"))
        assert sorted(Judge(study.session("S1")).text.images) == [31, 41]
        successful(run_main("verify", str(study.session("S1"))))
        kept = sorted(path.read_text() for path in inbox.rglob("README"))
        assert kept == sorted(folders), "each is kept once, also by a second import"


def fill(inbox: Path) -> Tree:
    """Write loose files, a spreadsheet (a zip), and three archives: one in a folder, one of PAR/REC.

    Return the files that have a row in the ledger: archives at the top of the inbox have none.
    """
    write_folder(LOOSE, inbox)
    write_packet(INNER, inbox, "scan", Kind.TAR_GZ)
    write_packet(under("late", LATE.files()), inbox / "a", "late", Kind.ZIP)
    write_packet(ParRec(acquisition=7).files("epi"), inbox, "philips", Kind.TAR)
    (inbox / "list.xlsx").write_bytes(zipped({"xl/workbook.xml": b"<x/>"}))
    return {name: data for name, data in read_tree(inbox).items() if name not in ("scan.tar.gz", "philips.tar")}


ARCHIVES = {"scan.tar.gz", "philips.tar", "a/late.zip"}
KEPT = {"a/README", ".hidden/.notes", "top.txt", "list.xlsx", "scan.tar.gz_files/x/protocol.pdf"}


@pytest.mark.parametrize(
    ("mode", "remaining", "archived"),
    [
        ("move", set(), {"scan.tar.gz", "philips.tar", "late.zip"}),
        ("copy", ARCHIVES, {"scan.tar.gz", "philips.tar", "late.zip"}),
        ("leave", ARCHIVES, set()),
        ("delete", set(), set()),
    ],
)
def test_archive_applies_to_archives_and_other_files_stay_in_the_inbox(
    study: Study, inbox: Path, mode: str, remaining: set[str], archived: set[str]
) -> None:
    members = fill(inbox)
    successful(study.main(*FOLDER_MODE, f"--archive={mode}"))
    session = study.session("S1")
    judge = Judge(session)
    judge.check_members(members)
    judge.check_places()
    judge.check_images()
    assert sorted(judge.text.images) == [31, 41, 51, 7011]
    assert set(read_tree(inbox)) == KEPT | remaining
    assert set(names(study.archive)) == archived
    assert fates(session)["list.xlsx"] == "kept", "a spreadsheet is a zip, but no packet"
    assert fates(session)["a/late.zip!late/IM0001"] == "sorted"


@pytest.mark.parametrize("mode", ["move", "copy", "leave", "delete"])
@pytest.mark.parametrize("form", ["folder", "file", "no"])
def test_overwrite_keeps_the_only_copy_of_the_data(study: Study, inbox: Path, mode: str, form: str) -> None:
    """The original files are no longer in the inbox, so the session is rebuilt from its dicom folder."""
    members = fill(inbox)
    successful(study.main(*FOLDER_MODE, f"--archive={mode}", f"--gzip={form}"))
    before = snapshot(study.sessions)
    rows = Judge(study.session("S1")).rows
    for _ in range(2):
        successful(study.main(*FOLDER_MODE, "--overwrite=yes", f"--archive={mode}", f"--gzip={form}"))
    judge = Judge(study.session("S1"))
    judge.check_members(members)
    judge.check_places()
    assert sorted(judge.text.images) == [31, 41, 51, 7011]
    assert {(row["path"], row["sha256"], row["fate"], row["at"]) for row in rows} == {
        (row["path"], row["sha256"], row["fate"], row["at"]) for row in judge.rows
    }
    after = snapshot(study.sessions)
    data = ("dicom/30", "dicom/40", "dicom/50", "dicom/7010", "nii/", "inbox/", "archive/MR")
    assert {k: v for k, v in after.items() if any(d in k for d in data)} == {
        k: v for k, v in before.items() if any(d in k for d in data)
    }
    assert list(study.archive.parent.glob("replaced/**/*")) == [], "nothing is archived as replaced"


def test_overwrite_adds_new_files(study: Study, inbox: Path) -> None:
    write_folder(under("first", T1.files()), inbox)
    successful(study.main(*FOLDER_MODE))
    write_folder(under("second", BOLD.files()), inbox)
    assert study.main(*FOLDER_MODE).status == 66, "a session with results is not imported again"
    assert len(read_tree(inbox)) == 6
    successful(study.main(*FOLDER_MODE, "--overwrite=yes"))
    judge = Judge(study.session("S1")).check(None)
    assert sorted(judge.text.images) == [31, 41]
    assert {row["path"] for row in judge.rows if row["fate"] == "sorted"} == {
        *(f"first/{name}" for name in T1.files()),
        *(f"second/{name}" for name in BOLD.files()),
    }
    assert read_tree(inbox) == {}


def test_a_session_of_another_program_is_rebuilt_without_loss(study: Study) -> None:
    session = study.session("S1")
    dicom = {**under("30", T1.files()), "40.tar.gz": packed(under("40", BOLD.files()), Kind.TAR_GZ)}
    write_folder({**dicom, "notes.txt": b"mine"}, session / "dicom")
    write_folder({"31.nii.gz": b"old image", "extra.mat": b"made manually"}, session / "nii")
    (session / "session.txt").write_text("id: S1\n")
    (session / "hcp").mkdir()
    (session / "hcp" / "x").write_text("a later step's")
    successful(study.main(*FOLDER_MODE, "--overwrite=yes"))
    assert sorted(Judge(session).text.images) == [31, 41]
    assert (session / "hcp" / "x").read_text() == "a later step's"
    assert read_tree(study.archive.parent / "replaced" / "S1-1") == {
        "dicom/notes.txt": b"mine",
        "nii/31.nii.gz": b"old image",
        "nii/extra.mat": b"made manually",
        "session.txt": b"id: S1\n",
    }


def test_named_sessions_that_do_not_exist_are_no_error(study: Study, inbox: Path) -> None:
    write_folder(T1.files(), inbox)
    successful(study.main("--masterinbox=none", "--sessions=S1,S2,nobody*"))
    assert study.session_names() == ["S1"]


def test_sessions_that_are_not_named_are_unchanged(study: Study, inbox: Path) -> None:
    write_folder(T1.files(), inbox)
    write_folder(T1.files(), study.session("T1") / "inbox")
    before = snapshot(study.session("T1"))
    successful(study.main(*FOLDER_MODE))
    assert snapshot(study.session("T1")) == before


def test_an_inbox_that_is_a_link_to_itself_is_refused_and_the_other_sessions_are_imported(study: Study) -> None:
    for session in ("S1", "S2"):
        write_folder(T1.files(), study.session(session) / "inbox")
    study.session("S1").joinpath("inbox").rename(study.session("S1") / "data")
    study.session("S1").joinpath("inbox").symlink_to("inbox")
    run = study.main(*FOLDER_MODE)
    assert run.status == 1
    assert "internal error" not in run.text
    assert "inbox cannot be listed: too many levels of symbolic links." in " ".join(run.out.split())
    assert "--sessions=S1" in run.out
    Judge(study.session("S2")).check(T1.files())
    assert read_tree(study.session("S1") / "data") == T1.files()


@pytest.mark.parametrize("archive", ["move", "delete"])
def test_a_damaged_archive_leaves_the_whole_session_unchanged(study: Study, inbox: Path, archive: str) -> None:
    write_folder(LOOSE, inbox)
    (inbox / "scan.tar").write_bytes(packed(INNER, Kind.TAR)[:6000])
    before = snapshot(study.sessions)
    run = study.main(*FOLDER_MODE, f"--archive={archive}")
    assert run.status == 1
    assert "scan.tar" in run.text
    assert snapshot(study.sessions) == before


def test_undamaged_files_beside_a_damaged_archive_can_be_imported(study: Study, inbox: Path) -> None:
    write_folder(LOOSE, inbox)
    (inbox / "scan.tar").write_bytes(packed(INNER, Kind.TAR)[:6000])
    before = read_tree(inbox)
    run = study.main(*FOLDER_MODE, "--archive=delete", "--on-damaged=keep")
    assert "damaged" in run.text
    assert 31 in Judge(study.session("S1")).text.images
    assert before.items() <= read_tree(inbox).items(), "nothing leaves an inbox with unreadable bytes"


def test_two_patients_in_an_inbox(study: Study, inbox: Path) -> None:
    other = MrSeries(number=3, patient="P777", date="20240116")
    tree = {**under("a", T1.files()), **under("b", other.files()), "b/notes.txt": b"of b"}
    write_folder(tree, inbox)
    before = snapshot(study.sessions)
    assert study.main(*FOLDER_MODE).status == 1
    assert snapshot(study.sessions) == before
    successful(study.main(*FOLDER_MODE, "--on-mixed=split"))
    assert study.session_names() == ["S1", "S1-1", "S1-2"]
    assert sorted(Judge(study.session("S1-1")).check(None).text.images) == [31]
    assert (study.session("S1-2") / "inbox" / "b" / "notes.txt").read_bytes() == b"of b"
    assert read_tree(inbox) == {}
    summary = json.loads((study.session("S1-2") / "qxbatch/summary.json").read_bytes())
    assert summary["parted"] == {"from": "S1", "sessions": {"S1-1": "P001", "S1-2": "P777"}}


def test_a_session_with_a_name_from_a_logfile_is_imported_again_without_naming_the_patient(
    study: Study, tmp_path: Path
) -> None:
    table = tmp_path / "log.csv"
    table.write_text("code,subject\nAP1,S1\n")
    study.put("AP1", MrSeries(number=3, patient="SECRET", name="Secret^Name").files())
    successful(study.main(f"--logfile=path:{table}|packet_name:code|subject_id:subject"))
    successful(study.main(*FOLDER_MODE, "--overwrite=yes"))
    paths = list(study.session("S1").rglob("*"))
    assert study.session("S1") / "session.txt" in paths
    for path in paths:
        assert "SECRET" not in path.name
        if path.suffix in (".txt", ".tsv", ".json", ".log", ".html") and path.parent.name != "nii":
            assert "SECRET" not in path.read_text()


def test_two_archives_of_one_name_are_both_in_the_archive(study: Study) -> None:
    for session, series in (("S1", T1), ("S2", BOLD)):
        write_packet(series.files(), study.session(session) / "inbox", "scan", Kind.ZIP)
    successful(study.main(*FOLDER_MODE))
    assert names(study.archive) == ["scan.zip", "scan_2.zip"]


def test_an_archive_with_the_longest_name(study: Study, inbox: Path) -> None:
    name = "A" * 251 + ".zip"
    write_packet(T1.files(), inbox, "scan", Kind.ZIP).rename(inbox / name)
    successful(study.main(*FOLDER_MODE))
    assert names(study.archive) == [name]


def test_names_of_any_bytes(study: Study, inbox: Path) -> None:
    odd = [b"a!b", b"c!", b"tab\there", b"line\nend", b"\xff\xfe.dcm", b" lead", b"-dash", b"back\\slash"]
    for name, data in zip(odd, T1.with_(slices=8).files().values(), strict=True):
        (inbox / os.fsdecode(name)).write_bytes(data)
    write_folder({"fold!/no\te!x": b"kept", "fold!/\udcfe": b"kept too"}, inbox)
    write_packet({**BOLD.files(), "in!side\tx": b"of the archive"}, inbox, "an!archive\tx", Kind.ZIP)
    (inbox / "link").symlink_to("/etc/hostname")
    os.mkfifo(inbox / "pipe")
    for words in ((), ("--overwrite=yes",), ("--overwrite=yes",)):
        successful(study.main(*FOLDER_MODE, *words))
        judge = Judge(study.session("S1"))
        judge.check_places()
        assert sorted(judge.text.images) == [31, 41]
        assert sum(row["fate"] == "sorted" for row in judge.rows) == 14
        kept = sorted(path.read_bytes() for path in inbox.rglob("*") if path.is_file() and not path.is_symlink())
        assert kept == [b"kept", b"kept too", b"of the archive"]
        assert (inbox / "link").is_symlink()
        assert (inbox / "pipe").is_fifo()


def test_unzip_no_sorts_gzipped_dicom_and_lists_it(study: Study, inbox: Path) -> None:
    compressed = {f"{name}.dcm.gz": gzip.compress(data) for name, data in T1.files().items()}
    write_folder({**compressed, **under("plain", BOLD.files())}, inbox)
    successful(study.main(*FOLDER_MODE, "--unzip=no"))
    judge = Judge(study.session("S1")).check({**compressed, **under("plain", BOLD.files())})
    assert judge.states() == {30: "nothing to convert", 40: "converted"}
    assert sorted(path.name[-7:] for path in (study.session("S1") / "dicom/30").iterdir()) == [".dcm.gz"] * 3
    successful(study.main(*FOLDER_MODE, "--overwrite=yes"))
    assert sorted(Judge(study.session("S1")).check(None).text.images) == [31, 41]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_inbox_that_cannot_be_written_is_reported_before_the_import(study: Study, inbox: Path) -> None:
    write_folder(T1.files(), inbox)
    inbox.chmod(0o500)
    assert study.main(*FOLDER_MODE).status == 73
    inbox.chmod(0o700)
    assert names(study.session("S1")) == ["inbox"]


@pytest.mark.parametrize(("ending", "pack"), [("zst", zst.compress), ("Z", lzw.compress)], ids=["zst", "Z"])
def test_a_compressed_file_alone_is_a_loose_file_and_no_archive(
    study: Study, inbox: Path, ending: str, pack: Callable[[bytes], bytes]
) -> None:
    files = {f"{name}.{ending}": pack(data) for name, data in T1.files().items()}
    write_folder(files, inbox)
    successful(study.main(*FOLDER_MODE))
    session = study.session("S1")
    Judge(session).check(None)
    assert fates(session) == dict.fromkeys(files, "sorted")
    assert read_tree(inbox) == {}
    assert not study.archive.exists(), "a loose file whose bytes are in the session is removed, not archived"


def test_an_inbox_is_read_once_also_where_an_archive_contains_no_images(
    study: Study, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = fill(inbox)
    calls = []

    def counted(*args: Any, **options: Any) -> Any:
        calls.append(args)
        return ingest(*args, **options)

    monkeypatch.setattr("qxbatch.pipeline.read.ingest", counted)
    successful(study.main(*FOLDER_MODE))
    Judge(study.session("S1")).check_members(members)
    assert len(calls) == 1
    order = [row["path"] for row in Judge(study.session("S1")).rows]
    loose = [path for path in order if "!" not in path]
    assert loose == sorted(loose), "an archive that is kept whole is among the loose files"
    assert order.index("list.xlsx") < order.index("philips.tar!epi.PAR")


LOGS = [
    pytest.param({"a/z.log": b"text", "b/y.log": b""}, (), {"log/z.log": b"text", "log/y.log": b""}, id="two logs"),
    pytest.param(
        {"a/Doe.log": b"text", "b/Jane.log": b"text"},
        ("--deidentify-logs",),
        {"log/S1.log": b"text", "log/S1_2.log": b"text"},
        id="the names of a patient",
    ),
]


@pytest.mark.parametrize("mode", ["leave", "copy"])
@pytest.mark.parametrize(("logs", "options", "placed"), LOGS)
def test_a_log_of_an_archive_that_stays_in_the_inbox_is_kept_once(
    study: Study, inbox: Path, mode: str, logs: Tree, options: tuple[str, ...], placed: Tree
) -> None:
    archive = write_packet({**T1.files(), **logs}, inbox, "z")
    rows = []
    for _ in range(3):
        successful(study.main(*FOLDER_MODE, "--overwrite=yes", f"--archive={mode}", *options))
        found = read_tree(study.session("S1") / "dicom")
        assert {name: data for name, data in found.items() if name.startswith("log/")} == placed
        assert names(inbox) == [archive.name]
        rows.append([(row["path"], row["at"]) for row in Judge(study.session("S1")).rows])
    assert rows[1:] == rows[:2]


def test_another_log_with_the_name_of_a_log_of_the_session_goes_to_the_files_of_its_archive(
    study: Study, inbox: Path
) -> None:
    for text in (b"old", b"new", b"new"):
        archive = write_packet({**T1.files(), "z.log": text}, inbox, "z")
        successful(study.main(*FOLDER_MODE, "--overwrite=yes", "--archive=leave"))
    assert (study.session("S1") / "dicom/log/z.log").read_bytes() == b"old"
    assert read_tree(inbox) == {archive.name: archive.read_bytes(), f"{archive.name}_files/z.log": b"new"}
