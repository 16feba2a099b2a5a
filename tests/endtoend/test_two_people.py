"""A packet of two people becomes one session only on request; the message lists the folders of each person."""

import json
import re
from pathlib import Path
from unittest.mock import Mock

import pytest

from qxbatch.pipeline import deliver
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, read_tree, under, write_packet, zipped
from tests.build.parrec import ParRec
from tests.build.study import Study, run_main, snapshot
from tests.endtoend.judge import Judge

ANNA = MrSeries(number=3, patient=None, name="Doe^Anna", description="T1w", study="a", date="20240115")
BOB = MrSeries(number=4, patient=None, name="Roe^Bob", description="T2w", study="b", date="20240220")
CARL = MrSeries(number=5, patient=None, name="Poe^Carl", description="PD", study="c", date="20240315")
TREE = {**under("x/anna", ANNA.files()), **under("x/bob", BOB.files()), "x/bob/notes.txt": b"of bob"}
PAR_ANNA = under("par/a", ParRec(acquisition=2, patient="Doe, Anna").files("a"))
PAR_BOB = under("par/b", ParRec(acquisition=3, patient="Roe, Bob").files("b"))
FOLDER_MODE = ("--masterinbox=none", "--sessions=*")


@pytest.mark.parametrize(
    "tree",
    [
        TREE,
        {**PAR_ANNA, **PAR_BOB},
        {**under("d", ANNA.files()), **PAR_BOB},
        {**under("a", ANNA.with_(patient="anonymous").files()), **under("b", BOB.with_(patient="ANONYMOUS").files())},
        {**under("a", ANNA.with_(patient="P1").files()), **under("b", BOB.files())},
    ],
    ids=["dicom", "par", "dicom-and-par", "anonymous", "one-without-id"],
)
@pytest.mark.parametrize("kind", [Kind.FOLDER, Kind.ZIP])
def test_two_people_without_two_different_ids_are_refused(study: Study, tree: dict[str, bytes], kind: Kind) -> None:
    study.put("S1", tree, kind)
    before = snapshot(study.inbox)
    run = study.main()
    assert run.status == 1
    assert "2 patients" in run.text
    assert study.session_names() == []
    assert snapshot(study.inbox) == before
    assert study.main("--on-mixed=merge").status == 0
    assert study.session_names() == ["S1"]


@pytest.mark.parametrize(
    "tree",
    [
        {**under("a", ANNA.files()), **under("b", BOB.with_(name="DOE, ANNA").files())},
        {**under("a", ANNA.files()), **under("b", BOB.with_(name="Anonymous").files())},
        {**under("a", ANNA.files()), **under("b", BOB.with_(changes={"PatientName": ""}).files())},
        {**under("a", ANNA.files()), **PAR_ANNA},
        {**under("a", ANNA.with_(patient="P1").files()), **under("b", BOB.with_(patient="p1").files())},
    ],
    ids=["spelling", "anonymous", "empty", "par", "one-id"],
)
def test_one_person_is_imported(study: Study, tree: dict[str, bytes]) -> None:
    study.put("S1", tree)
    run = study.main()
    assert run.status == 0, run.text
    assert "patient" not in run.text


def test_a_par_without_its_rec_is_no_patient(study: Study) -> None:
    study.put("S1", {**under("a", ANNA.files()), "par/b.PAR": PAR_BOB["par/b/b.PAR"]})
    run = study.main()
    assert study.session_names() == ["S1"]
    assert "patients" not in run.text


def test_two_people_in_the_inbox_of_a_session_are_refused_or_split(study: Study) -> None:
    for path, data in TREE.items():
        place = study.sessions / "S1/inbox" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    run = study.main(*FOLDER_MODE)
    assert run.status == 1
    assert "2 patients" in run.text
    assert study.main(*FOLDER_MODE, "--on-mixed=split").status == 0
    assert study.session_names() == ["S1", "S1-1", "S1-2"]


def test_files_of_two_people_with_one_series_uid_are_refused_also_with_split(study: Study) -> None:
    other = ANNA.with_(name="Roe^Bob").files()
    study.put("S1", {**under("a", ANNA.files()), "b/IM9": other["IM0002"].replace(b"ORIGINAL", b"DERIVED ")})
    run = study.main()
    assert run.status == 1
    assert "so the packet cannot be split" in " ".join(run.text.split())
    assert "--on-mixed=split" not in run.text
    run = study.main("--on-mixed=split")
    assert run.status == 1
    assert "same series UID" in run.text
    assert "qxbatch " not in run.text, "no command separates the files"
    assert study.session_names() == []


def test_a_refused_split_counts_only_the_people_whose_files_have_one_series_uid(study: Study) -> None:
    other = ANNA.with_(name="Roe^Bob").files()["IM0002"].replace(b"ORIGINAL", b"DERIVED ")
    study.put("S1", {**under("a", ANNA.files()), "b/IM9": other, **under("c", CARL.files())})
    assert "contains 3 patients" in study.main().text
    assert "contains files of 2 patients with the same series UID" in study.main("--on-mixed=split").text


def test_a_refused_packet_shows_each_patients_folders_dates_and_series(study: Study) -> None:
    study.put("S1", TREE)
    text = study.main().text
    assert "patient 1 (Doe^Anna): files in folder x/anna, date 2024-01-15, series 3 (T1w)" in text
    assert "patient 2 (Roe^Bob): files in folder x/bob, date 2024-02-20, series 4 (T2w)" in text
    assert "--on-mixed=split" in text


def test_a_refused_packet_says_that_files_are_in_an_archive_or_in_its_top_folder(study: Study) -> None:
    study.put("S1", {"x/anna.zip": zipped(under("scan", ANNA.files())), "x/b.zip": zipped(BOB.files()), **CARL.files()})
    text = study.main().text
    assert "(Doe^Anna): files in archive x/anna.zip, date" in text
    assert "(Roe^Bob): files in archive x/b.zip, date" in text
    assert "(Poe^Carl): files in the top folder of the packet, date" in text


@pytest.mark.parametrize("how", ["logfile", "switch"])
def test_a_refused_packet_names_no_patient_with_a_logfile_or_deidentified_logs(
    study: Study, tmp_path: Path, how: str
) -> None:
    tree = {
        **under("Doe_Anna/head", ANNA.with_(description="T1 of Anna").files()),
        **under("scan2", BOB.with_(patient="SECRET77").files()),
    }
    study.put("S1", tree)
    table = tmp_path / "table.csv"
    table.write_text("S1,HQ210\n")
    option = f"--logfile=path:{table}|packet_name:1|subject_id:2" if how == "logfile" else "--deidentify-logs"
    files = (tmp_path / "run.log", tmp_path / "run.json")
    run = study.main(option, f"--log-file={files[0]}", f"--json-file={files[1]}")
    session = "HQ210" if how == "logfile" else "S1"
    assert run.status == 1
    assert f"patient 1: files in folder {session}, date 2024-01-15, series 3 (T1 of {session})" in run.text
    assert "patient 2: files in folder scan2, date 2024-02-20, series 4 (T2w)" in run.text
    for text in (run.text, *(path.read_text() for path in files)):
        assert not re.search("anna|doe|roe|bob|secret77", text, re.IGNORECASE), text


@pytest.mark.parametrize(
    ("packet", "options", "sessions"),
    [
        ("HQ210", (), {"HQ210-1": "HQ210-1", "HQ210-2": "HQ210-2"}),
        (
            "HQ210_base",
            ("--nameformat=(?P<subject_id>.*?)_(?P<session_name>.*)",),
            {"HQ210_base-1": "HQ210-1", "HQ210_base-2": "HQ210-2"},
        ),
    ],
)
def test_each_split_session_has_its_own_subject(
    study: Study, packet: str, options: tuple[str, ...], sessions: dict[str, str]
) -> None:
    study.put(packet, {**TREE, **PAR_BOB})
    run = study.main("--on-mixed=split", *options)
    assert run.status == 0, run.text
    assert study.session_names() == list(sessions)
    first, second = (Judge(study.session(name)) for name in sessions)
    for judge, (name, subject) in zip((first, second), sessions.items(), strict=True):
        lines = (study.session(name) / "session.txt").read_text().splitlines()
        assert f"id: {name}" in lines
        assert f"subject: {subject}" in lines
        assert judge.summary["session"]["subject"] == subject
        assert judge.summary["parted"] == {
            "from": packet,
            "sessions": dict(zip(sessions, ("Doe^Anna", "Roe^Bob"), strict=True)),
        }
    assert sorted(first.text.images) == [31]
    assert sorted(second.text.images) == [41, 3011]
    assert b"of bob" in read_tree(study.session(list(sessions)[1]) / "inbox").values()
    assert study.main("--on-mixed=split", *options).status == 66


@pytest.mark.parametrize("overwrite", ["no", "yes"])
@pytest.mark.parametrize("options", [(), FOLDER_MODE], ids=["inbox mode", "folder mode"])
def test_a_split_replaces_no_session_that_was_not_split_from_its_packet(
    study: Study, options: tuple[str, ...], overwrite: str
) -> None:
    study.put("S1-2", ANNA.with_(patient="OTHER").files())
    assert study.main().status == 0
    before = snapshot(study.session("S1-2"))
    inbox = study.session("S1") / "inbox" if options else study.inbox
    inbox.mkdir(parents=True, exist_ok=True)
    write_packet(TREE, inbox, "S1", Kind.ZIP)
    options = ("--masterinbox=none", "--sessions=S1") if options else ()
    run = study.main("--on-mixed=split", f"--overwrite={overwrite}", *options)
    assert run.status == 1, run.text
    assert "already exists" not in run.text
    assert "one of its sessions would be S1-2, which exists and was not split from S1" in " ".join(run.text.split())
    if overwrite == "no":  # the session to move away is not overwritten
        assert "--overwrite=yes" not in run.text
    assert snapshot(study.session("S1-2")) == before
    assert (inbox / "S1.zip").exists()
    assert not study.session("S1-1").exists()
    study.session("S1-2").rename(study.sessions / "S2")
    run = study.main("--on-mixed=split", f"--overwrite={overwrite}", *options)
    assert run.status == 0, run.text
    assert {"S1-1", "S1-2"} <= {*study.session_names()}


@pytest.mark.parametrize("converted_again", [False, True])
def test_a_session_that_was_split_from_a_packet_is_replaced_by_the_same_packet(
    study: Study, converted_again: bool
) -> None:
    study.put("S1", TREE)
    assert study.main("--on-mixed=split", "--archive=leave").status == 0
    if converted_again:
        for name in study.session_names():
            run = run_main("convert", "--overwrite=yes", str(study.session(name)))
            assert run.status == 0, run.text
    for name in study.session_names():
        summary = json.loads((study.session(name) / "qxbatch/summary.json").read_bytes())
        assert summary["parted"]["from"] == "S1"
    run = study.main("--on-mixed=split", "--overwrite=yes")
    assert run.status == 0, run.text
    assert study.session_names() == ["S1-1", "S1-2"]


def test_a_session_that_was_split_from_a_packet_is_refused_with_the_command_that_replaces_it(study: Study) -> None:
    study.put("S1", TREE)
    assert study.main("--on-mixed=split", "--archive=leave").status == 0
    study.session("S1-1").rename(study.sessions / "T1")
    run = study.main("--on-mixed=split")
    assert run.status == 1
    assert "session S1-2, which was split from S1 before, already exists" in " ".join(run.text.split())
    assert "--overwrite=yes" in run.text
    run = study.main("--on-mixed=split", "--overwrite=yes")
    assert run.status == 0, run.text
    assert study.session_names() == ["S1-1", "S1-2", "T1"]


def test_a_split_session_does_not_name_the_other_patients(study: Study) -> None:
    one = MrSeries(number=3, patient="P1", name="Zonneveld^Kees", description="T1 after Zagar Ana")
    other = MrSeries(number=4, patient="P2", name="Zagar^Ana", description="T1 after P1 Kees Zonneveld")
    study.put("S1", {**under("a", one.files()), **under("b", other.files())})
    run = study.run("--on-mixed=split", "--deidentify-logs")
    assert run.status == 0, run.text
    for session in ("S1-1", "S1-2"):
        text = "".join(
            (study.session(session) / name).read_text()
            for name in ("session.txt", "qxbatch/summary.json", "nii/31.json")
            if (study.session(session) / name).exists()
        )
        for part in ("Zonneveld", "Kees", "Zagar", "Ana"):
            assert part not in text, (session, part)


def test_a_split_session_of_a_logfile_has_its_own_subject(study: Study, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("packet,subject,session\nAP1,HQ210,base\n")
    study.put("AP1", TREE)
    run = study.main(
        f"--logfile=path:{table}|packet_name:packet|subject_id:subject|session_name:session", "--on-mixed=split"
    )
    assert run.status == 0, run.text
    summaries = [json.loads((study.session(f"HQ210_base-{k}") / "qxbatch/summary.json").read_bytes()) for k in (1, 2)]
    assert [each["session"]["subject"] for each in summaries] == ["HQ210-1", "HQ210-2"]
    assert not re.search("anna|roe", run.text, re.IGNORECASE)


def test_one_id_with_two_names_and_birth_dates_is_imported_with_a_warning(study: Study) -> None:
    one = ANNA.with_(patient="P1", changes={"PatientBirthDate": "19500101"})
    other = BOB.with_(patient="P1", changes={"PatientBirthDate": "19910101"})
    study.put("S1", {**under("a", one.files()), **under("b", other.files())})
    run = study.main()
    assert run.status == 0
    assert "files of patient P1 differ in name and birth date" in run.text
    codes = [each["code"] for each in Judge(study.session("S1")).summary["problems"]]
    assert "different-names" in codes
    study.put("S2", {**under("a", one.files()), **under("b", other.files())})
    deidentified = study.main("--deidentify-logs")
    assert "files of one patient differ" in deidentified.text
    assert not re.search("anna|roe|19910101|1991-01-01", deidentified.text, re.IGNORECASE)


def test_one_series_with_two_names_and_birth_dates_is_imported_with_a_warning(study: Study) -> None:
    one = ANNA.with_(patient="P1", slices=4, changes={"PatientBirthDate": "19500101"}).files()
    other = ANNA.with_(patient="P1", slices=4, name="Roe^Bob", changes={"PatientBirthDate": "19910101"}).files()
    study.put("S1", {**one, "IM0003": other["IM0003"]})
    run = study.main()
    assert run.status == 0
    assert "files of patient P1 differ in name and birth date" in run.text
    assert "Roe^Bob born 1991-01-01" in run.text


def test_a_name_in_a_later_file_of_a_series_is_nowhere_in_a_deidentified_session(study: Study) -> None:
    one = ANNA.with_(patient="P1", slices=4).files()
    other = ANNA.with_(patient="P1", slices=4, name="Zebrowski^Kunigunde").files()
    tree = {**one, "IM0003": other["IM0003"], "Zebrowski.txt": b"x", "Kunigunde notes.txt": b"y"}
    study.put("S1", tree, Kind.FOLDER)
    run = study.main("--deidentify-logs")
    assert run.status == 0, run.text
    session = study.session("S1")
    places = [path.relative_to(session).as_posix() for path in session.rglob("*")]
    assert "inbox/S1.txt" in places
    rows_of_ledger = (session / "qxbatch/ledger.tsv").read_text().splitlines()
    reasons = [row.partition("\t")[2] for row in rows_of_ledger]  # the first column is the path in the packet
    for text in (run.text, *places, *reasons):
        assert not re.search("zebrowski|kunigunde", text, re.IGNORECASE), text


@pytest.mark.parametrize("option", ["--deidentify-logs", "--quiet"])
def test_the_report_says_once_that_free_text_can_identify(study: Study, option: str) -> None:
    study.put("S1", ANNA.files())
    study.put("S2", ANNA.files())
    run = study.main(option)
    assert run.status == 0
    assert run.text.count("can still identify a person") == (option != "--quiet")
    page = (study.session("S1") / "qxbatch/report.html").read_text()
    assert ("can still identify a person" in page) == (option != "--quiet")


def test_a_name_in_component_groups_is_nowhere_in_a_deidentified_session(study: Study) -> None:
    series = ANNA.with_(
        patient="X77Y88",
        name="Yamada^Tarou=山田^太郎=やまだ^たろう",
        description="T1 Tarou 山田太郎",
        changes={"SpecificCharacterSet": "ISO_IR 192"},
    )
    study.put("S1", {**under("山田/T1", series.files()), "Yamada_Tarou_notes.txt": b"x", "太郎.txt": b"y"}, Kind.FOLDER)
    run = study.main("--deidentify-logs")
    assert run.status == 0, run.text
    session = study.session("S1")
    secret = re.compile("yamada|tarou|山田|太郎|やまだ", re.IGNORECASE)
    for path in session.rglob("*"):
        assert not secret.search(path.relative_to(session).as_posix())
        if path.suffix == ".json":
            assert "山田".encode().decode("latin-1") not in path.read_text(encoding="utf-8"), path
        if path.name in ("session.txt", "report.html", "summary.json", "DICOM-Report.txt") or path.suffix == ".log":
            assert not secret.search(path.read_text(encoding="utf-8")), path
    assert Judge(session).text.images[31].name.startswith("T1 S1")


def test_a_split_packet_is_reported_once(study: Study) -> None:
    series = [MrSeries(number=3 + k, patient=f"P{k}", name="") for k in range(3)]
    study.put("S1", {name: data for k, each in enumerate(series) for name, data in under(str(k), each.files()).items()})
    run = study.run("--on-mixed=split")
    assert run.status == 0, run.text
    assert run.text.count("split into the sessions") == 1


@pytest.mark.parametrize("interrupted", [False, True])
def test_each_session_of_a_split_packet_has_its_own_problems(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interrupted: bool
) -> None:
    study.put("S1", TREE)
    assert study.main("--on-mixed=split", "--archive=leave").status == 0
    for name in study.session_names():
        (study.session(name) / "nii" / "notes.txt").write_text(name)
    if interrupted:
        with monkeypatch.context() as patch:
            patch.setattr(deliver, "finish", Mock(side_effect=OSError("the disk is busy")))
            assert study.main("--on-mixed=split", "--overwrite=yes", "--archive=leave").status == 1
    path = tmp_path / "run.json"
    run = study.main("--on-mixed=split", "--overwrite=yes", "--archive=leave", f"--json-file={path}")
    assert run.status == 0, run.text
    sessions = json.loads(path.read_bytes())["sessions"]
    kept = {
        session["session"]: [
            problem["subject"] for problem in session["problems"] if problem["code"] == "replaced-kept"
        ]
        for session in sessions
    }
    assert kept == {"S1-1": ["S1-1"], "S1-2": ["S1-2"]}
