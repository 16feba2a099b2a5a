"""Inbox mode with real runs: --overwrite, several packets of one session, packets of several patients."""

import json
from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import Kind, Tree, read_tree, under, write_folder
from tests.build.parrec import ParRec
from tests.build.study import Run, Study, snapshot
from tests.endtoend.judge import Judge

T1 = MrSeries(number=3, description="T1w")
BOLD = MrSeries(number=4, description="BOLD", volumes=2, time="102000")
OTHER = MrSeries(number=3, description="T1w", patient="P777", date="20240116")
MIXED = {**under("a", T1.files()), **under("b", OTHER.files()), "a/notes": b"of a", "b/notes": b"of b"}


def succeeded(run: Run) -> Run:
    assert run.status == 0, run.text
    return run


def replaced(study: Study) -> dict[str, bytes]:
    folder = study.archive.parent / "replaced"
    return read_tree(folder) if folder.exists() else {}


@pytest.fixture
def imported(study: Study) -> Study:
    """A study with session S1, its packet in the archive, and a folder of a later processing step."""
    study.put("S1", {**T1.files(), "notes": b"first"})
    succeeded(study.main())
    write_folder({"T1w/x": b"a later step's"}, study.session("S1") / "hcp")
    return study


def test_an_existing_session_is_unchanged_and_the_note_names_the_option(imported: Study) -> None:
    imported.put("S1", BOLD.files())
    before = snapshot(imported.sessions)
    run = imported.main()
    assert run.status == 66
    assert "already there" in run.text
    assert "--overwrite=yes" in run.text
    assert snapshot(imported.sessions) == before


def test_importing_the_same_packet_again_changes_only_times(imported: Study) -> None:
    before = snapshot(imported.session("S1"))
    (imported.archive / "S1.zip").rename(imported.inbox / "S1.zip")
    succeeded(imported.main("--overwrite=yes"))
    volatile = {"session.txt", "qxbatch/summary.json", "qxbatch/report.html", "dicom/dcm2niix_30.log"}
    after = snapshot(imported.session("S1"))
    assert {name for name in {*before, *after} if before.get(name) != after.get(name)} <= volatile
    assert replaced(imported) == {}


def test_another_packet_replaces_the_session_and_the_old_packet_stays_archived(imported: Study) -> None:
    packet = imported.put("S1", {**BOLD.files(), "notes": b"second"})
    data = packet.read_bytes()
    succeeded(imported.main("--overwrite=yes"))
    session = imported.session("S1")
    assert sorted(Judge(session).check({**BOLD.files(), "notes": b"second"}).text.images) == [41]
    assert (session / "hcp/T1w/x").read_bytes() == b"a later step's"
    assert (imported.archive / "S1_2.zip").read_bytes() == data
    kept = replaced(imported)
    assert "S1-1/nii/31.nii.gz" in kept, "an image is no member of a packet"
    assert [name for name in kept if "30.tar.gz" in name or "notes" in name] == [], "the archived packet contains them"


def test_files_that_no_archived_packet_contains_are_kept(imported: Study) -> None:
    old = (imported.session("S1") / "dicom/30.tar.gz").read_bytes()
    (imported.archive / "S1.zip").write_bytes(b"not the packet any more")
    imported.put("S1", BOLD.files())
    run = succeeded(imported.main("--overwrite=yes"))
    kept = replaced(imported)
    assert kept["S1-1/dicom/30.tar.gz"] == old
    assert kept["S1-1/inbox/notes"] == b"first"
    assert "replaced" in run.text


WARNING = "replaced a session of another patient"


def test_a_session_of_another_patient_is_replaced_with_a_warning(imported: Study, tmp_path: Path) -> None:
    imported.put("S1", OTHER.files())
    path = tmp_path / "run.json"
    run = succeeded(imported.main("--overwrite=yes", f"--json-file={path}"))
    assert f"{WARNING}: PatientID P001 before, P777 now." in run.text
    problems = json.loads(path.read_bytes())["sessions"][0]["problems"]
    assert [(each["code"], each["subject"], each["severity"]) for each in problems if WARNING in each["message"]] == [
        ("replaced-patient", "S1", "warning")
    ]
    imported.put("S1", OTHER.files())
    assert WARNING not in succeeded(imported.main("--overwrite=yes")).text


@pytest.mark.parametrize(
    ("tree", "options"),
    [
        (T1.with_(patient=" p001 ").files(), ()),
        (OTHER.with_(patient="anonymous").files(), ()),
        (OTHER.with_(patient=None, name="Roe^Bob").files(), ()),
        (ParRec(patient="Roe^Bob").files("a"), ()),
        ({**under("a", OTHER.files()), **under("b", T1.files())}, ("--on-mixed=merge",)),
        (T1.files(), ("--deidentify-logs",)),
    ],
    ids=["other case", "anonymous", "only a name", "PAR", "merged", "now de-identified"],
)
def test_a_packet_that_can_be_of_the_same_patient_is_no_warning(
    imported: Study, tree: Tree, options: tuple[str, ...]
) -> None:
    imported.put("S1", tree)
    assert WARNING not in succeeded(imported.main("--overwrite=yes", *options)).text


def test_a_session_without_a_patient_is_replaced_without_a_warning(study: Study) -> None:
    for series in (T1.with_(patient=None), T1.with_(patient="anonymous"), OTHER):
        study.put("S1", series.files())
        assert WARNING not in succeeded(study.main("--overwrite=yes")).text


def test_the_warning_about_another_patient_has_no_id_if_logs_are_deidentified(imported: Study, tmp_path: Path) -> None:
    imported.put("S1", OTHER.files())
    log = tmp_path / "run.log"
    run = succeeded(imported.main("--overwrite=yes", "--deidentify-logs", f"--log-file={log}"))
    for text in (run.text, log.read_text()):
        assert f"{WARNING}." in text
        assert "P001" not in text
        assert "P777" not in text
    imported.put("S1", T1.files())
    assert WARNING not in succeeded(imported.main("--overwrite=yes")).text, "the old session does not name its patient"


def test_only_the_split_session_of_another_patient_has_a_warning(study: Study) -> None:
    study.put("S1", MIXED)
    succeeded(study.main("--on-mixed=split"))
    study.put("S1", {**under("a", T1.files()), **under("b", OTHER.with_(patient="P888").files())})
    run = succeeded(study.main("--on-mixed=split", "--overwrite=yes"))
    assert run.text.count(WARNING) == 1
    assert f"{WARNING}: PatientID P777 before, P888 now." in run.text


def test_a_failed_import_keeps_the_old_session(imported: Study) -> None:
    imported.put_bytes("S1.zip", (imported.archive / "S1.zip").read_bytes()[:-2000])
    before = snapshot(imported.sessions)
    assert imported.main("--overwrite=yes").status == 1
    assert snapshot(imported.sessions) == before


@pytest.mark.parametrize("mode", ["move", "copy"])
def test_nothing_in_the_archive_is_overwritten(study: Study, mode: str) -> None:
    study.archive.mkdir(parents=True)
    (study.archive / "S1.zip").write_bytes(b"of another year")
    write_folder({"x": b"of another year"}, study.archive / "S2")
    study.put("S1", T1.files())
    study.put("S2", BOLD.files(), Kind.FOLDER)
    succeeded(study.main(f"--archive={mode}"))
    names = sorted(path.name for path in study.archive.iterdir())
    assert names == ["S1.zip", "S1_2.zip", "S2", "S2_2"]
    assert (study.archive / "S1.zip").read_bytes() == b"of another year"


def test_two_packets_of_one_session_are_refused_or_merged(study: Study) -> None:
    study.put("S1-a", {**T1.files(), "notes": b"a"})
    study.put("S1-b", {**BOLD.files(), "notes": b"b"}, Kind.TAR)
    options = ("--nameformat=(?P<subject_id>.*?)-.*",)
    before = snapshot(study.sessions)
    run = study.main(*options)
    assert run.status == 1
    assert "S1-a.zip" in run.text
    assert "--on-same-session=merge" in run.text
    assert snapshot(study.sessions) == before
    succeeded(study.main(*options, "--on-same-session=merge"))
    judge = Judge(study.session("S1"))
    judge.check_places()
    assert sorted(judge.text.images) == [31, 41]
    assert {row["path"] for row in judge.rows if row["fate"] == "kept"} == {"S1-a.zip!notes", "S1-b.tar!notes"}
    assert sorted(path.name for path in study.archive.iterdir()) == ["S1-a.zip", "S1-b.tar"]


def test_several_studies_of_one_patient_are_merged_with_a_warning(study: Study) -> None:
    second = T1.with_(study="study 2", date="20240201")
    study.put("S1", {**under("a", T1.files()), **under("b", second.files())})
    run = succeeded(study.main())
    assert "2 studies" in run.text
    assert sorted(Judge(study.session("S1")).text.images) == [31, 100031]


def test_a_packet_of_two_patients_is_split_and_the_mapping_is_reported(study: Study) -> None:
    study.put("S1", MIXED)
    run = succeeded(study.main("--on-mixed=split", "--archive=leave"))
    assert study.session_names() == ["S1-1", "S1-2"]
    assert "S1-1 (P001), S1-2 (P777)" in run.text
    rows = []
    for name, patient, note in (("S1-1", "P001", b"of a"), ("S1-2", "P777", b"of b")):
        judge = Judge(study.session(name))
        judge.check_places()
        rows += [row["path"] for row in judge.rows]
        assert judge.summary["parted"] == {"from": "S1", "sessions": {"S1-1": "P001", "S1-2": "P777"}}
        assert judge.summary["session"]["patient"] == patient
        [kept] = read_tree(study.session(name) / "inbox").values()
        assert kept == note
    assert sorted(rows) == sorted(MIXED), "each member is in one of the sessions"
    again = study.main("--on-mixed=split", "--archive=leave")
    assert again.status == 66
    assert "already there" in again.text


def test_a_split_packet_named_by_a_logfile_does_not_show_the_patients(study: Study, tmp_path: Path) -> None:
    table = tmp_path / "log.csv"
    table.write_text("AP1,S7\n")
    study.put("AP1", MIXED)
    run = succeeded(study.main(f"--logfile=path:{table}|packet_name:1|subject_id:2", "--on-mixed=split"))
    assert "P777" not in run.text
    summary = json.loads((study.session("S7-2") / "qxbatch/summary.json").read_bytes())
    assert summary["parted"] == {"from": "S7", "sessions": {"S7-1": "", "S7-2": ""}}


@pytest.mark.parametrize(
    ("value", "expected"),
    [("folder", {"dicom/30.tar.gz"}), ("file", {".dcm.gz"}), ("no", {".dcm"})],
)
def test_the_gzip_option_decides_how_dicom_files_are_stored(study: Study, value: str, expected: set[str]) -> None:
    study.put("S1", T1.files())
    succeeded(study.main(f"--gzip={value}"))
    Judge(study.session("S1")).check(T1.files())
    names = [path.relative_to(study.session("S1")).as_posix() for path in study.session("S1").glob("dicom/30*/**/*")]
    names += [path.relative_to(study.session("S1")).as_posix() for path in study.session("S1").glob("dicom/*.tar.gz")]
    assert names
    assert all(any(name.endswith(end) for end in expected) for name in names)


def test_image_names_and_fields_can_be_selected(study: Study) -> None:
    study.put("S1", T1.files())
    succeeded(study.main("--add-image-type=2", "--add-json-info=all"))
    line = Judge(study.session("S1")).text.images[31]
    assert line.name == "T1w M ND"
    assert line.info["TR"] == "2"
