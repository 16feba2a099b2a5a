"""`qxbatch split`: each study of each patient gets a separate folder."""

import contextlib
import gzip
import json
import os
from pathlib import Path

import pytest

from qxbatch.cli.main import main
from qxbatch.commands import split_result, split_staging
from qxbatch.commands.split_staging import staging_in
from qxbatch.exits import ExitStatus
from qxbatch.publish.durable import make_folder, rename_noreplace
from qxbatch.publish.folder_lock import FolderLock, is_locked, locked_folder
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, packed, read_tree, under, write_packet
from tests.build.parrec import ParRec
from tests.build.study import snapshot

A = MrSeries(number=3)
B = A.with_(patient="P777")
C = A.with_(study="study 2", date="20240201")
TREE = {
    **under("a", A.files()),
    **under("b", B.files()),
    **under("c/d", C.files()),
    "a/notes": b"of a",
    "b/deep/notes": b"of b",
    "readme": b"of all",
}
PARTS = {
    "P001_1": {**under("a", A.files()), "a/notes": b"of a", "readme": b"of all"},
    "P001_2": under("c/d", C.files()),
    "P777": {**under("b", B.files()), "b/deep/notes": b"of b"},
}


class Killed(BaseException):
    """Ends the command at a step, as a signal does."""


def run_main(*words: object) -> int:
    return main([str(word) for word in words])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP, Kind.TAR_GZ], ids=lambda kind: kind.name)
def test_each_study_of_each_patient_gets_a_folder(kind: Kind, tmp_path: Path) -> None:
    source = write_packet(TREE, tmp_path, "mixed", kind)
    before = snapshot(tmp_path)
    assert run_main("split", source, f"--output={tmp_path / 'out'}") == 0
    folders = {part: read_tree(tmp_path / "out" / part) for part in names(tmp_path / "out") if part != "split.tsv"}
    assert folders == PARTS
    assert {k: v for k, v in snapshot(tmp_path).items() if not k.startswith("out")} == before, "the source is unchanged"


def test_the_remains_of_a_killed_run_are_removed_at_any_depth(tmp_path: Path) -> None:
    source = write_packet(TREE, tmp_path, "mixed", Kind.ZIP)
    remains = tmp_path / "out" / f".qxbatch-split-{'0' * 16}"
    make_folder(remains.joinpath(*["d"] * 1200))
    (remains / ".of-qxbatch").write_text(remains.name)
    make_folder(tmp_path / "out" / f".qxbatch-split-{'1' * 16}")  # killed before it wrote its name
    assert run_main("split", source, f"--output={tmp_path / 'out'}") == 0
    assert names(tmp_path / "out") == [*sorted(PARTS), "split.tsv"]


def test_the_folder_of_another_run_stays(tmp_path: Path) -> None:
    source = write_packet(TREE, tmp_path, "mixed", Kind.ZIP)
    with staging_in(tmp_path / "out") as other:
        assert run_main("split", source, f"--output={tmp_path / 'out'}") == 0
        assert names(other) == [".of-qxbatch"]
    assert names(tmp_path / "out") == [*sorted(PARTS), "split.tsv"]


def test_a_folder_that_another_run_wrote_meanwhile_stops_the_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_packet(TREE, tmp_path, "mixed", Kind.ZIP)
    out = tmp_path / "out"
    monkeypatch.setattr(
        split_result, "sync_tree", lambda _: write_packet({"a": b"of the other"}, out, "P777", Kind.FOLDER)
    )
    assert run_main("split", source, f"--output={out}") == 73
    assert f"{out} contains P777 already; nothing was written." in capsys.readouterr().err
    assert names(out) == ["P777"]
    assert read_tree(out / "P777") == {"a": b"of the other"}


def test_another_run_does_not_look_for_remains_before_the_folder_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_packet(TREE, tmp_path, "mixed", Kind.ZIP)
    out = tmp_path / "out"
    locked: list[bool] = []

    def watched(folder: Path) -> contextlib.AbstractContextManager[FolderLock]:
        if folder.parent == out:
            locked.append(is_locked(out))
        return locked_folder(folder)

    monkeypatch.setattr(split_staging, "locked_folder", watched)
    assert run_main("split", source, f"--output={out}") == 0
    assert locked == [True]


def test_the_output_is_locked_while_the_new_folders_get_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_packet(TREE, tmp_path, "mixed", Kind.ZIP)
    out = tmp_path / "out"
    locked: list[bool] = []

    def watched(new: Path, target: Path) -> None:
        locked.append(is_locked(out))
        rename_noreplace(new, target)

    monkeypatch.setattr(split_result, "rename_noreplace", watched)
    assert run_main("split", source, f"--output={out}") == 0
    assert len(locked) == len(names(out))
    assert all(locked)


def test_an_output_that_another_run_removes_is_created_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_packet(TREE, tmp_path, "mixed", Kind.ZIP)
    removed: list[Path] = []

    def removed_once(folder: Path) -> None:
        make_folder(folder)
        if not removed:
            folder.rmdir()
            removed.append(folder)

    monkeypatch.setattr(split_staging, "make_folder", removed_once)
    assert run_main("split", source, f"--output={tmp_path / 'out'}") == 0
    assert names(tmp_path / "out") == [*sorted(PARTS), "split.tsv"]


@pytest.mark.parametrize("name", [".qxbatch-split", f".qxbatch-split-{'0' * 16}"])
@pytest.mark.parametrize("words", [[], ["--test=yes"]])
def test_a_folder_of_a_user_in_the_output_stays(tmp_path: Path, name: str, words: list[str]) -> None:
    source = write_packet(TREE, tmp_path, "mixed", Kind.ZIP)
    make_folder(tmp_path / "out" / name)
    (tmp_path / "out" / name / "notes.txt").write_text("mine")
    assert run_main("split", source, f"--output={tmp_path / 'out'}", *words) == 0
    assert (tmp_path / "out" / name / "notes.txt").read_text() == "mine"


def test_a_dry_run_leaves_no_new_folder(tmp_path: Path) -> None:
    source = write_packet(TREE, tmp_path, "mixed", Kind.ZIP)
    assert run_main("split", source, f"--output={tmp_path / 'a' / 'b' / 'c'}", "--test=yes") == 0
    assert not (tmp_path / "a").exists()


def test_the_mapping_has_the_destination_of_each_member(tmp_path: Path) -> None:
    source = write_packet(TREE, tmp_path, "mixed", Kind.FOLDER)
    assert run_main("split", source) == 0
    out = tmp_path / "mixed_split"
    head, *lines = [line.split("\t") for line in (out / "split.tsv").read_text().splitlines()]
    rows = [dict(zip(head, line, strict=True)) for line in lines]
    assert sorted(row["path"] for row in rows if row["at"]) == sorted(TREE)
    assert all((out / row["at"]).read_bytes() == TREE[row["path"]] for row in rows if row["at"])
    assert {row["patient"] for row in rows if row["path"].startswith("b/")} == {"P777"}
    assert (out / "P777/b/IM0001").stat().st_ino == (source / "b/IM0001").stat().st_ino, "no second copy on disk"


def test_the_note_of_a_duplicate_is_about_its_content(tmp_path: Path) -> None:
    data = next(iter(A.files().values()))
    tree = {"1": data, "2": data, "3.gz": gzip.compress(data), "4.gz": gzip.compress(data) + b"tail"}
    source = write_packet({**under("a", tree), **under("b", B.files())}, tmp_path, "mixed", Kind.FOLDER)
    assert run_main("split", source, f"--output={tmp_path / 'out'}") == 0
    rows = [line.split("\t") for line in (tmp_path / "out/split.tsv").read_text().splitlines()]
    same = "another file has the same content"
    assert {row[0]: row[-1] for row in rows if row[0].startswith("a/")} == {
        "a/1": "",
        "a/2": same,
        "a/3.gz": same,
        "a/4.gz": f"{same}, but not the bytes outside of this file's content",
    }


def test_a_dry_run_lists_the_folders_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_packet(TREE, tmp_path, "mixed", Kind.ZIP)
    before = snapshot(tmp_path)
    assert run_main("split", source, "--test", "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert {each["name"]: each["files"] for each in summary["parts"]} == {
        name: len(tree) for name, tree in PARTS.items()
    }
    assert summary["mapping"] is None
    assert snapshot(tmp_path) == before


def test_an_existing_folder_stops_the_split(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_packet(TREE, tmp_path, "mixed", Kind.FOLDER)
    (tmp_path / "mixed_split" / "P777").mkdir(parents=True)
    before = snapshot(tmp_path)
    assert run_main("split", source) == 73
    assert "P777" in capsys.readouterr().err
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("renamed", [1, 2, 3])
def test_a_split_that_was_killed_between_its_renames_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renamed: int
) -> None:
    source = write_packet(TREE, tmp_path, "mixed", Kind.ZIP)
    out = tmp_path / "out"
    steps: list[Path] = []

    def interrupted(new: Path, target: Path) -> None:
        if len(steps) == renamed:
            raise Killed
        steps.append(target)
        rename_noreplace(new, target)

    with monkeypatch.context() as patched:
        patched.setattr(split_result, "rename_noreplace", interrupted)
        with pytest.raises(Killed):
            run_main("split", source, f"--output={out}")
    assert len(names(out)) == renamed
    assert run_main("split", source, f"--output={out}") == 0
    assert {part: read_tree(out / part) for part in names(out) if part != "split.tsv"} == PARTS
    assert "P777/b/IM0001" in (out / "split.tsv").read_text()


def test_a_complete_split_is_not_written_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_packet(TREE, tmp_path, "mixed", Kind.ZIP)
    out = tmp_path / "out"
    assert run_main("split", source, f"--output={out}") == 0
    (out / "P777").rename(tmp_path / "P777")
    before = snapshot(tmp_path)
    assert run_main("split", source, f"--output={out}") == 73
    assert f"{out} contains P001_1, P001_2 already; nothing was written." in capsys.readouterr().err
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("kind", ["edited", "more", "link"])
def test_an_existing_folder_with_other_content_stops_the_split(tmp_path: Path, kind: str) -> None:
    source = write_packet(TREE, tmp_path, "mixed", Kind.ZIP)
    out = tmp_path / "out"
    assert run_main("split", source, f"--output={out}") == 0
    (out / "split.tsv").unlink()
    if kind == "edited":
        (out / "P777" / "b" / "deep" / "notes").write_text("ot b")
    elif kind == "more":
        (out / "P777" / "new").write_text("new")
    else:
        (out / "P777").rename(tmp_path / "P777")
        (out / "P777").symlink_to(tmp_path / "P777")
    before = snapshot(tmp_path)
    assert run_main("split", source, f"--output={out}") == 73
    assert snapshot(tmp_path) == before


def test_a_damaged_archive_is_not_split(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mixed.zip"
    path.write_bytes(packed(TREE, Kind.ZIP)[:-900])
    before = snapshot(tmp_path)
    assert run_main("split", path) == 1
    assert "damaged" in capsys.readouterr().err
    assert snapshot(tmp_path) == before


def test_a_folder_without_images_is_not_split(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_packet({"x": b"x"}, tmp_path, "mixed", Kind.FOLDER)
    assert run_main("split", source) == 1
    assert "no DICOM" in capsys.readouterr().err
    assert names(tmp_path) == ["mixed"]


def test_an_archive_of_an_unsupported_kind_is_not_split(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.rar").write_bytes(b"Rar!\x1a\x07\x00")
    assert run_main("split", tmp_path / "in.rar") == 1
    assert "is a RAR archive, which qxbatch does not open." in capsys.readouterr().err


def test_par_rec_pairs_are_split_by_name_and_day(tmp_path: Path) -> None:
    jane, john = (ParRec(patient=name).files("x") for name in ("Doe^Jane", "Roe^John"))
    later = {path: data.replace(b"2024.01.15", b"2024.02.20") for path, data in jane.items()}
    source = write_packet({**under("a", jane), **under("b", john), **under("c", later)}, tmp_path, "p", Kind.FOLDER)
    assert run_main("split", source) == 0
    assert names(tmp_path / "p_split") == ["Doe_Jane_1", "Doe_Jane_2", "Roe_John", "split.tsv"]


MASS = A.with_(patient="MASS", name="Alpha^Anna")
ESZETT = A.with_(patient="Maß", name="Beta^Bob", study="study 2", changes={"SpecificCharacterSet": "ISO_IR 100"})
PAR_TREES = [
    pytest.param({**under("a", A.files()), **under("x", ParRec(patient="").files())}, ["a", "x"], id="no name"),
    pytest.param({**under("a", A.files()), **under("x", ParRec(patient="JANE DOE").files())}, ["a", "x"], id="a name"),
    pytest.param(
        {**under("a", A.files()), **under("x", {"1.PAR": ParRec(patient="DOE J").files()["scan.PAR"]})},
        ["a", "x"],
        id="no REC",
    ),
    pytest.param(
        {
            **under("a", ParRec(patient="Doe^Jane").files()),
            **under("x", ParRec(patient="JANE DOE", acquisition=3).files()),
        },
        ["a", "x"],
        id="two spellings",
    ),
    pytest.param(
        {**under("b", MASS.files()), **under("a", ESZETT.files()), **under("a/x", ParRec(patient="").files())},
        ["a"],
        id="IDs that are equal in folded case",
    ),
]


@pytest.mark.parametrize(("tree", "tops"), PAR_TREES)
def test_a_par_gets_a_folder_of_its_patient(tree: dict[str, bytes], tops: list[str], tmp_path: Path) -> None:
    source = write_packet(tree, tmp_path, "mixed", Kind.FOLDER)
    assert run_main("split", source, f"--output={tmp_path / 'out'}") == 0
    head, *lines = [line.split("\t") for line in (tmp_path / "out" / "split.tsv").read_text().splitlines()]
    rows = [dict(zip(head, line, strict=True)) for line in lines]
    [patient] = {row["patient"] for row in rows if row["path"].lower().endswith((".par", ".rec"))}
    assert sorted({row["path"].split("/")[0] for row in rows if row["patient"] == patient}) == tops
    labels = {row["at"].split("/")[0].rsplit("_", 1)[0] for row in rows if row["patient"] == patient}
    assert len(labels) == 1, "the folders of one patient have one name, with numbers"
    others = {row["at"].split("/")[0].rsplit("_", 1)[0] for row in rows if row["patient"] != patient}
    assert labels.isdisjoint(others)


def test_ids_with_equal_folder_names_get_separate_folders(tmp_path: Path) -> None:
    tree = {**under("a", A.with_(patient="a b").files()), **under("b", A.with_(patient="a_b").files())}
    source = write_packet(tree, tmp_path, "mixed", Kind.FOLDER)
    assert run_main("split", source) == 0
    assert names(tmp_path / "mixed_split") == ["a_b", "a_b-2", "split.tsv"]


def test_a_file_without_a_patient_is_put_with_its_study(tmp_path: Path) -> None:
    nameless = A.with_(number=9).with_(changes={"PatientID": None})
    source = write_packet({**under("a", A.files()), **under("n", nameless.files())}, tmp_path, "mixed", Kind.FOLDER)
    assert run_main("split", source) == 0
    assert names(tmp_path / "mixed_split") == ["P001", "split.tsv"]


def test_a_source_that_cannot_be_read_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert run_main("split", tmp_path / "pipe") == 64
    text = capsys.readouterr().err
    assert f"{tmp_path / 'pipe'} cannot be read: it is neither a file nor a folder." in text
    assert "chmod" not in text


def test_the_root_folder_has_no_default_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_main("split", "/") == 64
    assert "No folder can be beside /." in capsys.readouterr().err


def test_a_missing_source_is_a_usage_error(tmp_path: Path) -> None:
    assert run_main("split", tmp_path / "nothing") == 64


@pytest.mark.parametrize("output", ["mixed", "mixed/a", "mixed/new", "link"])
def test_an_output_in_the_source_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], output: str) -> None:
    source = write_packet(TREE, tmp_path, "mixed", Kind.FOLDER)
    (tmp_path / "link").symlink_to(source)
    before = snapshot(tmp_path)
    assert run_main("split", source, f"--output={tmp_path / output}") == 64
    assert f"is in {source}" in capsys.readouterr().err
    assert snapshot(tmp_path) == before


def test_a_link_or_a_session_beside_the_source_is_refused_as_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_packet(TREE, tmp_path, "mixed", Kind.FOLDER)
    output, elsewhere = tmp_path / "mixed_split", tmp_path / "elsewhere"
    elsewhere.mkdir()
    output.symlink_to(elsewhere)
    assert run_main("split", source) == 64
    assert f"{output}, where the new folders would be, is a link." in capsys.readouterr().err
    assert names(elsewhere) == []
    output.unlink()
    output.mkdir()
    (output / "session.txt").write_text("id: A\nsubject: A\n")
    assert run_main("split", source) == 64
    assert names(output) == ["session.txt"]


@pytest.mark.parametrize("is_link", [False, True], ids=["folder", "link"])
def test_a_sessions_folder_is_refused_as_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], is_link: bool
) -> None:
    source = write_packet(TREE, tmp_path, "mixed", Kind.FOLDER)
    sessions = tmp_path / "sessions"
    (sessions / "inbox" / "MR").mkdir(parents=True)
    (sessions / "archive" / "MR").mkdir(parents=True)
    output = tmp_path / "link" if is_link else sessions
    if is_link:
        output.symlink_to(sessions)
    assert run_main("split", source, f"--output={output}") == 64
    assert f"--output={output} is a sessions folder." in capsys.readouterr().err
    assert names(sessions) == ["archive", "inbox"]


@pytest.mark.parametrize("output", ["S1", "S1/out/a"])
@pytest.mark.parametrize("link", ["", "inbox/MR", "inbox/MR/S1"])
def test_no_folder_is_added_to_a_waiting_packet(
    output: str, link: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inbox = tmp_path / "sessions" / "inbox" / "MR"
    named = inbox / output
    if link:  # another path to the same folder
        target = tmp_path / "sessions" / link
        (tmp_path / "link").symlink_to(target)
        named = tmp_path / "link" / named.relative_to(target)
    (tmp_path / "sessions" / ".qxbatch" / "locks").mkdir(parents=True)
    write_packet(under("a", A.files()), inbox, "S1", Kind.FOLDER)
    source = write_packet(TREE, inbox, "mixed", Kind.ZIP)
    before = snapshot(tmp_path)
    for test in ([], ["--test"]):
        assert run_main("split", source, f"--output={named}", *test) == ExitStatus.CANNOT_WRITE
        assert f"{inbox / 'S1'} is a packet that waits in the master inbox" in capsys.readouterr().err
        assert snapshot(tmp_path) == before


def test_a_split_into_the_inbox_continues_what_an_interrupted_one_left(tmp_path: Path) -> None:
    inbox = tmp_path / "sessions" / "inbox" / "MR"
    (tmp_path / "sessions" / ".qxbatch" / "locks").mkdir(parents=True)
    source = write_packet(TREE, inbox, "mixed", Kind.ZIP)
    for output in (inbox, inbox / "out" / "deep"):
        assert run_main("split", source, f"--output={output}") == 0
        (output / "split.tsv").unlink()
        (output / "P777" / "b" / "deep" / "notes").rename(tmp_path / "notes")
        assert run_main("split", source, f"--output={output}") == ExitStatus.CANNOT_WRITE, "P777 differs"
        (tmp_path / "notes").rename(output / "P777" / "b" / "deep" / "notes")
        assert run_main("split", source, f"--output={output}") == 0
        assert {"split.tsv", *PARTS} <= {*names(output)}
