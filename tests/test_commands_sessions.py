"""`qxbatch sort`, `convert` and `verify` on existing session folders."""

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from qxbatch.cli.main import main
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, Tree, packed, read_tree, under, write_folder, write_packet
from tests.build.parrec import ParRec
from tests.build.study import Study, snapshot
from tests.endtoend.judge import Judge

T1 = MrSeries(number=3, description="T1w")
BOLD = MrSeries(number=4, description="BOLD", volumes=2, time="102000")
TREE = {**under("x", T1.files()), **under("y", BOLD.files()), "y/notes": b"words"}


@pytest.fixture
def session(study: Study) -> Path:
    """The folder of session S1 with an empty inbox."""
    (study.session("S1") / "inbox").mkdir(parents=True)
    return study.session("S1")


def run_main(*words: object) -> int:
    return main([str(word) for word in words])


def sort_as_another_program(session: Path, form: str) -> Tree:
    """Write T1 and BOLD into a session as another program sorts them."""
    series = {30: T1.files(), 40: BOLD.files()}
    tree: dict[str, bytes] = {"DICOM-Report.txt": b"of another program"}
    for n, files in series.items():
        if form == "folder":
            tree[f"{n}.tar.gz"] = packed(under(str(n), files), Kind.TAR_GZ)
        elif form == "file":
            tree |= {f"{n}/{name}.dcm.gz": gzip.compress(data) for name, data in files.items()}
        else:
            tree |= {f"{n}/{name}.dcm": data for name, data in files.items()}
    write_folder(tree, session / "dicom")
    (session / "session.txt").write_text("id: S1\nsubject: subject7\n")
    return tree


def test_sort_does_not_convert(session: Path) -> None:
    write_folder(TREE, session / "inbox")
    assert run_main("sort", session) == 0
    assert sorted(path.name for path in (session / "dicom").iterdir()) == ["30.tar.gz", "40.tar.gz", "DICOM-Report.txt"]
    assert read_tree(session / "inbox") == {"y/notes": b"words"}
    assert list((session / "nii").iterdir()) == []
    assert not (session / "session.txt").exists()
    assert run_main("verify", session) == 0
    states = [each["state"] for each in json.loads((session / "qxbatch/summary.json").read_bytes())["series"]]
    assert states == ["not converted", "not converted"]


def test_the_report_of_sort_says_sorted(session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_folder(TREE, session / "inbox")
    log = tmp_path / "run.log"
    for command, state in (("sort", "sorted"), ("convert", "written")):
        assert run_main(command, session, f"--log-file={log}") == 0
        assert f"\n1 of 1 session was {state}.\n" in capsys.readouterr().out
        assert f" 1 of 1 session was {state}.\n" in log.read_text()


def test_convert_after_sort_archives_no_files_of_sort(
    session: Path, study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    write_folder(TREE, session / "inbox")
    assert run_main("sort", session) == 0
    capsys.readouterr()
    assert run_main("convert", session) == 0
    assert "replaced" not in capsys.readouterr().out
    assert not (study.sessions / "archive" / "replaced").exists()


def test_convert_after_sort_archives_files_that_a_user_added(session: Path, study: Study) -> None:
    write_folder(TREE, session / "inbox")
    assert run_main("sort", session) == 0
    (session / "qxbatch" / "mine.txt").write_text("mine")
    assert run_main("convert", session) == 0
    kept = study.sessions / "archive" / "replaced"
    assert [path.name for path in kept.rglob("*") if path.is_file()] == ["mine.txt"]


EDITED = ("qxbatch/summary.json", "qxbatch/report.html", "dicom/DICOM-Report.txt")
"""Not the ledger: the next command reads it, and writes its rows again."""


@pytest.mark.parametrize("command", [["convert"], ["sort", "--overwrite"]], ids=["convert", "sort"])
@pytest.mark.parametrize("edited", EDITED)
def test_a_file_that_a_person_edited_after_sorting_is_kept(
    session: Path, study: Study, edited: str, command: list[str]
) -> None:
    write_folder(TREE, session / "inbox")
    assert run_main("sort", session) == 0
    path = session / edited
    path.write_text(path.read_text().replace("T1w", "not usable", 1))
    mine = path.read_bytes()
    assert run_main(command[0], session, *command[1:]) == 0
    assert read_tree(study.sessions / "archive" / "replaced") == {f"S1-1/{edited}": mine}


@pytest.mark.parametrize("command", [["inspect", "--update"], ["report"]], ids=["inspect", "report"])
def test_a_command_that_writes_generated_files_again_is_no_edit(
    session: Path, study: Study, command: list[str]
) -> None:
    write_folder(TREE, session / "inbox")
    assert run_main("sort", session) == 0
    summary = session / "qxbatch" / "summary.json"
    sums = session / "qxbatch" / "sorted.sha256"
    content = json.loads(summary.read_text())
    content["series"][0].pop("acquisition")
    old = hashlib.sha256(summary.read_bytes()).hexdigest()
    summary.write_text(json.dumps(content))
    sums.write_text(sums.read_text().replace(old, hashlib.sha256(summary.read_bytes()).hexdigest()))
    before = snapshot(session)
    assert run_main(*command, session) == 0
    assert snapshot(session) != before
    assert run_main("convert", session) == 0
    assert not (study.sessions / "archive" / "replaced").exists()


@pytest.mark.parametrize("text", ["mine\n", "", "0" * 64 + "  session.txt\n"])
def test_without_the_checksums_of_sorting_its_files_are_kept(session: Path, study: Study, text: str) -> None:
    write_folder(TREE, session / "inbox")
    assert run_main("sort", session) == 0
    (session / "qxbatch" / "sorted.sha256").write_text(text)
    assert run_main("convert", session) == 0
    kept = read_tree(study.sessions / "archive" / "replaced")
    assert kept["S1-1/qxbatch/sorted.sha256"] == text.encode()
    assert "S1-1/qxbatch/summary.json" in kept


def test_sort_and_convert_give_the_result_of_an_import(session: Path, study: Study) -> None:
    write_folder(TREE, session / "inbox")
    write_packet(ParRec(acquisition=7).files("epi"), session / "inbox", "philips", Kind.ZIP)
    assert run_main("sort", session, "--archive=leave") == 0
    (session / "inbox" / "philips.zip").unlink()
    assert run_main("convert", session) == 0
    reference = Study(study.sessions.parent.parent / "reference")
    write_folder(TREE, reference.session("S1") / "inbox")
    write_packet(ParRec(acquisition=7).files("epi"), reference.session("S1") / "inbox", "philips", Kind.ZIP)
    assert reference.main("--masterinbox=none", "--sessions=S1").status == 0
    in_steps, at_once = snapshot(session), snapshot(reference.session("S1"))
    volatile = ("session.txt", "qxbatch/summary.json", "qxbatch/report.html")
    assert set(in_steps) == set(at_once)
    assert [
        k for k in in_steps if in_steps[k] != at_once[k] and not k.startswith(volatile) and not k.endswith(".log")
    ] == []


@pytest.mark.parametrize("form", ["folder", "file", "no"])
def test_convert_accepts_files_sorted_by_another_program(session: Path, form: str, study: Study) -> None:
    sort_as_another_program(session, form)
    (session / "inbox" / "left.txt").write_text("not touched")
    assert run_main("convert", session) == 0
    judge = Judge(session)
    judge.check_places()
    judge.check_images()
    judge.check_logs()
    assert sorted(judge.text.images) == [31, 41]
    assert judge.text.header["subject"] == "subject7", "the subject is unchanged"
    assert read_tree(session / "inbox") == {"left.txt": b"not touched"}
    ends = {"folder": ".tar.gz", "file": ".dcm.gz", "no": ".dcm"}
    kept = [path.name for path in (session / "dicom").rglob("*") if path.suffix not in (".txt", ".log", "")]
    assert all(name.endswith(ends[form]) for name in kept)
    assert len(kept) == (2 if form == "folder" else 9)
    assert run_main("verify", session) == 0
    old = read_tree(study.archive.parent / "replaced")
    assert set(old) == {"S1-1/session.txt", "S1-1/dicom/DICOM-Report.txt"}


def test_convert_packs_again_with_another_gzip_option(session: Path) -> None:
    sort_as_another_program(session, "no")
    assert run_main("convert", session, "--gzip=folder", "--add_json_info", "TR") == 0
    assert sorted(path.name for path in (session / "dicom").glob("*.tar.gz")) == ["30.tar.gz", "40.tar.gz"]
    assert Judge(session).text.images[31].info == {"TR": "2"}


def test_convert_skips_a_converted_session(session: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_folder(T1.files(), session / "inbox")
    assert run_main("sort", session) == 0
    assert run_main("convert", session) == 0
    before = snapshot(session)
    assert run_main("convert", session) == 66
    assert "--overwrite" in capsys.readouterr().out
    assert snapshot(session) == before
    assert run_main("convert", session, "--overwrite") == 0
    Judge(session).check(T1.files())


def test_convert_names_the_missing_step(session: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_folder(T1.files(), session / "inbox")
    assert run_main("convert", session) == 66
    assert "qxbatch sort" in capsys.readouterr().out


def test_convert_refuses_a_truncated_series_archive(session: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sort_as_another_program(session, "folder")
    pack = session / "dicom" / "40.tar.gz"
    pack.write_bytes(pack.read_bytes()[:-300])
    before = snapshot(session)
    assert run_main("convert", session) == 1
    assert "40.tar.gz" in capsys.readouterr().out
    assert snapshot(session) == before


@pytest.mark.parametrize("command", ["sort", "convert"])
def test_a_dry_run_writes_nothing(session: Path, command: str, study: Study) -> None:
    write_folder(T1.files(), session / "inbox")
    if command == "convert":
        assert run_main("sort", session) == 0
    before = snapshot(study.sessions)
    assert run_main(command, session, "--test") == 0
    assert snapshot(study.sessions) == before


def test_a_run_can_be_printed_as_json_and_also_written(
    session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_folder(T1.files(), session / "inbox")
    assert run_main("sort", session, "--json", f"--json-file={tmp_path / 'run.json'}") == 0
    summary = json.loads(capsys.readouterr().out)
    assert json.loads((tmp_path / "run.json").read_bytes()) == summary
    assert (summary["exit_status"], summary["sessions"][0]["session"], summary["sessions"][0]["series"]) == (0, "S1", 1)


@pytest.mark.parametrize("command", ["sort", "convert", "verify", "report"])
def test_a_missing_session_is_a_usage_error(command: str, tmp_path: Path) -> None:
    assert run_main(command, tmp_path / "nobody") == 64


def test_sessions_of_two_folders_are_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("a/S1", "b/S1"):
        (tmp_path / folder).mkdir(parents=True)
    assert run_main("sort", tmp_path / "a/S1", tmp_path / "b/S1") == 64
    assert "one sessions folder" in capsys.readouterr().err


@pytest.fixture
def imported(study: Study) -> Study:
    study.put("S1", TREE)
    study.put("S2", T1.files())
    assert study.main().status == 0
    return study


def test_intact_sessions_pass_verification(imported: Study, capsys: pytest.CaptureFixture[str]) -> None:
    before = snapshot(imported.sessions)
    assert run_main("verify", imported.sessions, "--json") == 0
    verified = json.loads(capsys.readouterr().out)["sessions"]
    assert [(Path(each["session"]).name, each["images"], each["wrong"]) for each in verified] == [
        ("S1", 2, []),
        ("S2", 1, []),
    ]
    assert snapshot(imported.sessions) == before


DAMAGE = [
    (name, how) for name in ("dicom/30.tar.gz", "nii/41.nii.gz", "inbox/y/notes") for how in ("missing", "cut", "other")
]
DAMAGE += [("nii/31.json", "missing"), ("session.txt", "missing"), ("session.txt", "cut")]
DAMAGE += [("qxbatch/summary.json", "missing"), ("qxbatch/summary.json", "cut")]
DAMAGE += [("qxbatch/ledger.tsv", "missing"), ("qxbatch/ledger.tsv", "cut")]


@pytest.mark.parametrize(("file", "how"), DAMAGE)
def test_verify_names_a_damaged_file(imported: Study, file: str, how: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = imported.session("S1") / file
    data = path.read_bytes()
    if how == "missing":
        path.unlink()
    else:
        middle = len(data) // 2
        path.write_bytes(data[:middle] if how == "cut" else data[:middle] + b"???" + data[middle + 3 :])
    assert run_main("verify", imported.session("S1")) == 1
    assert Path(file).name in capsys.readouterr().out
    assert run_main("verify", imported.session("S2")) == 0


def test_a_session_without_a_ledger_cannot_be_verified(session: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sort_as_another_program(session, "folder")
    assert run_main("verify", session) == 1
    assert "ledger" in capsys.readouterr().out
