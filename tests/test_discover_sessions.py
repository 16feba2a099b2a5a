"""Packets whose session exists, several packets of one session, and sessions that are no packets."""

from pathlib import Path

import pytest

from qxbatch.exits import ExitStatus
from qxbatch.model import Verdict
from qxbatch.problems import Code
from tests.build.dicom import MrSeries
from tests.build.inbox import DummyStudy
from tests.build.study import Study, run_main, snapshot


@pytest.fixture
def dummy(tmp_path: Path) -> DummyStudy:
    """An empty inbox."""
    return DummyStudy(tmp_path)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("AP1/inbox", None),
        ("AP1/session.txt", ""),
        ("AP1/dicom/10/1.dcm", "x"),
        ("AP1/nii/11.nii.gz", "x"),
        ("AP1/dicom", "x"),
    ],
)
def test_an_existing_session_is_unchanged_and_the_note_names_the_option(
    dummy: DummyStudy, path: str, text: str | None
) -> None:
    dummy.put("AP1.zip").write(path, text)
    each = dummy.candidate()
    assert each.verdict is Verdict.ALREADY_THERE
    assert "--overwrite=yes" in each.note
    assert dummy.candidate(overwrite="yes").verdict is Verdict.READY


@pytest.mark.parametrize("path", ["AP1", "AP1/dicom", "AP1/nii/sub", "AP1/hcp", "AP10/inbox"])
def test_empty_folders_and_folders_of_other_steps_are_no_session(dummy: DummyStudy, path: str) -> None:
    assert dummy.put("AP1.zip").write(path).candidate().verdict is Verdict.READY


def test_two_packets_of_an_existing_session_are_both_skipped(dummy: DummyStudy) -> None:
    verdicts = dummy.put("AP1.zip", "AP1.tar").write("AP1/inbox").verdicts()
    assert {verdict for verdict, _ in verdicts.values()} == {Verdict.ALREADY_THERE}


def test_two_packets_of_one_session_are_both_refused_and_named(dummy: DummyStudy) -> None:
    judged = {each.path.name: each for each in dummy.put("OP1/", "OP1.zip", "OP2.zip").candidates()}
    assert judged["OP2.zip"].verdict is Verdict.READY
    for name, other in (("OP1", "OP1.zip"), ("OP1.zip", "OP1")):
        assert judged[name].verdict is Verdict.REFUSED
        assert judged[name].problem.code is Code.SAME_SESSION
        assert other in judged[name].problem.subject
        assert judged[name].problem == judged[other].problem, "one message for both"


def test_two_packets_of_one_session_are_merged_on_request(dummy: DummyStudy) -> None:
    judged = dummy.put("OP1/", "OP1.zip").candidates(on_same_session="merge")
    assert [each.verdict for each in judged] == [Verdict.READY, Verdict.READY]
    assert {each.session.id for each in judged} == {"OP1"}


@pytest.mark.parametrize("on_same_session", ["reject", "merge"])
def test_packets_of_two_subjects_are_not_merged_into_one_session_id(dummy: DummyStudy, on_same_session: str) -> None:
    judged = dummy.put("A-B_C.zip", "A_B-C.zip").candidates(
        on_same_session=on_same_session, nameformat="(?P<subject_id>.*)-(?P<session_name>.*)"
    )
    assert {each.session.id for each in judged} == {"A_B_C"}
    assert [each.verdict for each in judged] == [Verdict.REFUSED, Verdict.REFUSED]
    assert judged[0].problem == judged[1].problem
    assert (judged[0].problem.code, judged[0].problem.command) == (Code.SAME_SESSION, "")


def test_a_par_and_its_rec_are_one_packet(dummy: DummyStudy) -> None:
    judged = dummy.put("S1.PAR", "s1.rec", "S2.REC").candidates()
    assert [(each.path.name, each.verdict) for each in judged] == [
        ("S1.PAR", Verdict.READY),
        ("S2.REC", Verdict.STRAY),
        ("s1.rec", Verdict.READY),
    ]
    assert [each.session and each.session.id for each in judged] == ["S1", None, "S1"]


def test_pairs_whose_names_differ_in_case_are_separate_packets(dummy: DummyStudy) -> None:
    judged = dummy.put("S1.PAR", "S1.REC", "s1.PAR", "s1.REC").candidates()
    assert {each.path.name: (each.session.id, each.note) for each in judged} == {
        "S1.PAR": ("S1", "together with S1.REC"),
        "S1.REC": ("S1", "together with S1.PAR"),
        "s1.PAR": ("s1", "together with s1.REC"),
        "s1.REC": ("s1", "together with s1.PAR"),
    }


def test_two_pairs_of_one_session_are_refused(dummy: DummyStudy) -> None:
    verdicts = dummy.put("S1.PAR", "S1.REC", "S1.par", "S1.rec").verdicts()
    assert set(verdicts.values()) == {(Verdict.REFUSED, "S1")}


def test_a_par_and_a_folder_of_the_same_name_are_two_packets(dummy: DummyStudy) -> None:
    assert {verdict for verdict, _ in dummy.put("S1.PAR", "S1.REC", "S1/").verdicts().values()} == {Verdict.REFUSED}


SESSIONS = {
    "created by QuNex": {"session.txt": "id: AP1\nsubject: AP1\n", "inbox/notes.txt": "x"},
    "with the records of an import": {"qxbatch/ledger.tsv": "x", "dicom/30.tar.gz": "x"},
    "with a report": {"dicom/DICOM-Report.txt": "x", "dicom/30.tar.gz": "x"},
    "without records": {"dicom/30/IM1": "x", "nii/31.nii.gz": "x"},
    "sorted": {"dicom/30/AP1-30-1.3.12.2.dcm": "x", "inbox/notes.txt": "x"},
    "in a study": {"study/sessions/AP1/session.txt": "id: AP1\nsubject: AP1\n"},
    "in a study with an interrupted run": {"sessions/.qxbatch/journal/AP1.json": "{}"},
    "in a study without sessions": {"sessions/inbox/MR/AP1.zip": "x", "sessions/archive/MR/AP2.zip": "x"},
    "with the files of the study level": {"study.json": "{}", "study.tsv": "x", "AP1/scan.zip": "x"},
}

EXPORTS = {
    "of a CD": {"DICOM/ST0/IM0": "x", "DICOMDIR": "x"},
    "with images": {"dicom/30/IM-0001-0001.dcm": "x", "nii/t1_mprage.nii.gz": "x"},
    "with numbered images": {"dicom/1/1.dcm": "x", "nii/1.nii.gz": "x"},
    "with twelve numbered series": {
        **{f"dicom/{k}/1.dcm": "x" for k in range(1, 13)},
        **{f"nii/{k}.nii.gz": "x" for k in range(1, 13)},
    },
    "with a series 10": {"dicom/5/MR-5-1.2.840.1.dcm": "x", "dicom/10/MR-10-1.2.840.1.dcm": "x"},
    "with series in its names": {"dicom/301/Scan-301-1.dcm": "x"},
    "with a file of another program": {"session.txt": "station: 3\n", "study.json": "{}", "IM1": "x"},
    "with an archive": {"archive/IM1": "x", "inbox/IM2": "x", "qxbatch/IM3": "x"},
}


def put_folder(dummy: DummyStudy, files: dict[str, str]) -> DummyStudy:
    for name, text in files.items():
        dummy.write(f"inbox/MR/AP9/{name}", text)
    return dummy


@pytest.mark.parametrize("archive", ["move", "delete"])
@pytest.mark.parametrize("files", SESSIONS.values(), ids=SESSIONS)
def test_a_folder_with_a_session_does_not_leave_as_a_packet(
    dummy: DummyStudy, files: dict[str, str], archive: str
) -> None:
    each = put_folder(dummy, files).candidate(archive=archive)
    assert each.verdict is Verdict.REFUSED
    assert each.problem.code is Code.SESSION_FOLDER
    assert "--archive=leave" in each.problem.command


@pytest.mark.parametrize("archive", ["move", "delete"])
@pytest.mark.parametrize("levels", [1, 2])
def test_only_the_link_to_a_session_would_leave(dummy: DummyStudy, tmp_path: Path, archive: str, levels: int) -> None:
    session = tmp_path / "other" / "AP1"
    session.mkdir(parents=True)
    (session / "session.txt").write_text("id: AP1\nsubject: AP1\n")
    target = session if levels == 1 else session.parent
    (dummy.inbox / "AP9").symlink_to(target)
    each = dummy.candidate(archive=archive)
    assert each.problem.code is Code.SESSION_FOLDER
    relation = f"a session folder, {target}" if levels == 1 else f"{target}, which contains a session folder"
    assert (
        each.problem.message
        == f"is a link to {relation}: --archive={archive} would take only the link away, not the data."
    )
    assert "--archive=leave" in each.problem.command


@pytest.mark.parametrize("archive", ["leave", "copy"])
@pytest.mark.parametrize("files", SESSIONS.values(), ids=SESSIONS)
def test_a_folder_with_a_session_is_imported_if_it_stays(
    dummy: DummyStudy, files: dict[str, str], archive: str
) -> None:
    assert put_folder(dummy, files).candidate(archive=archive).verdict is Verdict.READY


@pytest.mark.parametrize("files", EXPORTS.values(), ids=EXPORTS)
def test_an_export_with_similar_names_is_a_packet(dummy: DummyStudy, files: dict[str, str]) -> None:
    assert put_folder(dummy, files).candidate(archive="delete").verdict is Verdict.READY


def test_a_folder_with_an_empty_folder_for_records_is_a_packet(dummy: DummyStudy) -> None:
    put_folder(dummy, {"IM1": "x"}).write("inbox/MR/AP9/.qxbatch")
    assert dummy.candidate(archive="delete").verdict is Verdict.READY


@pytest.mark.parametrize("overwrite", ["yes", "no"])
def test_a_session_beside_packets_in_the_sessions_folder_is_no_packet(dummy: DummyStudy, overwrite: str) -> None:
    dummy.write("AP1/session.txt", "id: AP1\nsubject: AP1\n").write("AP2.zip", "x")
    verdicts = dummy.verdicts(masterinbox=str(dummy.sessions), overwrite=overwrite)
    assert verdicts["AP1"][0] in (Verdict.STRAY, Verdict.ALREADY_THERE)
    assert verdicts["AP2.zip"] == (Verdict.READY, "AP2")


@pytest.mark.parametrize("archive", ["move", "leave"])
def test_folders_of_the_study_in_its_sessions_folder_are_ignored(dummy: DummyStudy, archive: str) -> None:
    dummy.write("specs/hcp.txt", "x").write("qc/1.png", "x").write("AP2.zip", "x").write("qc.zip", "x")
    verdicts = dummy.verdicts(masterinbox=str(dummy.sessions), archive=archive)
    assert {name: verdict for name, (verdict, _) in verdicts.items()} == {
        "AP2.zip": Verdict.READY,
        "inbox": Verdict.STRAY,
        "qc": Verdict.STRAY,
        "qc.zip": Verdict.REFUSED,
        "specs": Verdict.STRAY,
    }


@pytest.mark.parametrize(
    "options",
    [{"nameformat": "(?P<subject_id>..).*"}, {"pattern": "^(?P<packet_name>..)"}],
    ids=["nameformat", "pattern"],
)
def test_folders_of_the_study_are_ignored_whatever_sessions_their_names_give(
    dummy: DummyStudy, options: dict[str, str]
) -> None:
    dummy.write("specs/hcp.txt", "x").write("AP2.zip", "x").write("inbox/MR/AP3.zip", "x")
    verdicts = dummy.verdicts(masterinbox=str(dummy.sessions), archive="delete", **options)
    assert {name: verdict for name, (verdict, _) in verdicts.items()} == {
        "AP2.zip": Verdict.READY,
        "inbox": Verdict.STRAY,
        "specs": Verdict.STRAY,
    }


def test_folders_of_another_study_in_its_sessions_folder_are_ignored(dummy: DummyStudy, tmp_path: Path) -> None:
    other = DummyStudy(tmp_path / "other").write("archive/MR").write("AP1/dicom/1.dcm", "x")
    verdicts = dummy.verdicts(masterinbox=str(other.sessions), archive="leave")
    assert verdicts == {
        "AP1": (Verdict.READY, "AP1"),
        "archive": (Verdict.STRAY, None),
        "inbox": (Verdict.STRAY, None),
    }


@pytest.mark.parametrize("name", ["qc", "archive"])
def test_a_packet_with_the_name_of_a_folder_of_a_study_is_refused(dummy: DummyStudy, name: str) -> None:
    each = dummy.put(f"{name}/").candidate()
    assert (each.verdict, each.problem.code) == (Verdict.REFUSED, Code.BAD_NAME)


@pytest.mark.parametrize("folder", ["", "nii", "sub/sessions"])
@pytest.mark.parametrize("options", [[], ["--masterinbox=none", "--sessions=*"]])
def test_no_study_is_added_to_a_session(study: Study, folder: str, options: list[str]) -> None:
    study.put("S1", MrSeries().files())
    assert study.main().status == 0
    session = study.session("S1")
    (session / folder / "inbox" / "MR").mkdir(parents=True)
    before = snapshot(study.sessions)
    run = run_main(str(session / folder), *options)
    assert run.status == ExitStatus.USAGE
    relation = f"is in the session folder {session}." if folder else "is a session folder."
    assert f"{session / folder} {relation}" in " ".join(run.err.split())
    assert snapshot(study.sessions) == before


def test_the_folder_of_packets_is_no_packet(study: Study) -> None:
    study.put("S1", MrSeries().files())
    study.put("S2", MrSeries(key="2").files())
    run = study.main(f"--masterinbox={study.inbox.parent}")
    assert run.status == ExitStatus.NOTHING_READY
    assert "it is a folder of the study" in run.text
    assert len(list(study.inbox.iterdir())) == 2


@pytest.mark.parametrize("is_own", [True, False], ids=["own", "other"])
def test_the_folder_of_packets_of_a_study_is_no_packet(dummy: DummyStudy, tmp_path: Path, is_own: bool) -> None:
    study = dummy if is_own else DummyStudy(tmp_path / "other")
    study.write("inbox/MR/AP1.zip", "x").write("archive/MR/AP2.zip", "x")
    assert dummy.verdicts(masterinbox=str(study.sessions / "inbox"), archive="copy") == {"MR": (Verdict.STRAY, None)}
