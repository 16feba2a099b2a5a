"""Series without a patient, in a packet of several patients: the import and `qxbatch split` give them to nobody else."""

import json
from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import Kind, Tree, read_tree, under, write_packet
from tests.build.parrec import ParRec
from tests.build.study import Study, run_main
from tests.endtoend.judge import Judge

NOBODY = {"PatientID": "", "PatientName": "", "PatientBirthDate": ""}
ANNA = MrSeries(number=1, patient="A1", name="Alpha^Anna", study="a")
BOB = MrSeries(number=2, patient="B2", name="Beta^Bob", study="b")
NAMELESS = MrSeries(number=3, description="PD", study="c", changes=NOBODY)
OTHER = NAMELESS.with_(number=4, study="d", date="20240301")
SHARED = {"StudyInstanceUID": "1.2.3"}
PAR = ParRec(patient="", acquisition=5).files("p")
TWO = {**under("A", ANNA.files()), **under("B", BOB.files())}
ONE_STUDY = {
    **under("A", ANNA.with_(changes=SHARED).files()),
    **under("B", BOB.with_(changes=SHARED).files()),
    **under("x", NAMELESS.with_(changes={**NOBODY, **SHARED}).files()),
}
NO_STUDY = {"StudyInstanceUID": None}
NO_STUDIES = {
    **under("A", ANNA.with_(changes=NO_STUDY).files()),
    **under("B", BOB.files()),
    **under("x", NAMELESS.with_(changes={**NOBODY, **NO_STUDY}).files()),
}
OF_ANNA = NAMELESS.with_(changes={**NOBODY, "StudyInstanceUID": "1.2.3"})
ANNAS_STUDY = {**under("A", ANNA.with_(changes=SHARED).files()), **under("B", BOB.files())}

CASES = [
    pytest.param(ONE_STUDY, {"S1-3": ["x"]}, id="a study of two patients"),
    pytest.param({**TWO, **under("x", NAMELESS.files())}, {"S1-3": ["x"]}, id="another study"),
    pytest.param(NO_STUDIES, {"S1-3": ["x"]}, id="no StudyInstanceUID"),
    pytest.param({**TWO, **under("x", PAR)}, {"S1-3": ["x"]}, id="PAR beside two patients"),
    pytest.param({**ANNAS_STUDY, **under("x", OF_ANNA.files())}, {"S1-1": ["A", "x"]}, id="the study of one patient"),
    pytest.param({**TWO, **under("B/par", PAR)}, {"S1-2": ["B"]}, id="PAR in the folder of one patient"),
    pytest.param(
        {**TWO, **under("x", NAMELESS.files()), **under("y", OTHER.files())},
        {"S1-3": ["x"], "S1-4": ["y"]},
        id="two unknown studies",
    ),
]
FOLDERS = {"A1": "S1-1", "B2": "S1-2", "unknown": "S1-3", "unknown_1": "S1-3", "unknown_2": "S1-4"}


@pytest.mark.parametrize(("tree", "expected"), CASES)
def test_both_commands_give_a_series_to_its_patient_or_to_nobody(
    study: Study, tmp_path: Path, tree: Tree, expected: dict[str, list[str]]
) -> None:
    expected = {"S1-1": ["A"], "S1-2": ["B"], **expected}
    study.put("S1", tree)
    run = study.main("--on-mixed=split")
    assert run.status == 0, run.text
    tops = {
        name: {row["path"].split("/")[0] for row in Judge(study.session(name)).rows} for name in study.session_names()
    }
    assert {name: sorted(paths) for name, paths in tops.items()} == expected
    assert ("patient is unknown" in run.text) == (len(expected) > 2)
    source = write_packet(tree, tmp_path, "mixed", Kind.FOLDER)
    assert run_main("split", str(source), f"--output={tmp_path / 'out'}").status == 0
    folders: dict[str, set[str]] = {}
    for path in read_tree(tmp_path / "out"):
        folder, *below = path.split("/")
        if below:
            session = FOLDERS.get(folder) or FOLDERS[folder.rsplit("_", 1)[0]]
            folders.setdefault(session, set()).add(below[0])
    assert {name: sorted(paths) for name, paths in folders.items()} == expected


def test_the_report_names_the_series_of_unknown_patients_and_their_sessions(study: Study, tmp_path: Path) -> None:
    study.put("S1", {**TWO, **under("x", NAMELESS.files()), **under("y", OTHER.files())})
    path = tmp_path / "run.json"
    run = study.main("--on-mixed=split", f"--json-file={path}")
    assert "split into the sessions S1-1 (A1), S1-2 (B2), S1-3 (unknown patient), S1-4 (unknown patient)" in run.text
    problems = json.loads(path.read_bytes())["sessions"][0]["problems"]
    [problem] = [problem for problem in problems if problem["code"] == "unknown-patient"]
    assert problem["severity"] == "warning"
    assert "S1-3: series 3 (PD) in folder x; S1-4: series 4 (PD) in folder y." in problem["message"]
    assert "qxbatch split" in problem["hint"]
    assert Judge(study.session("S1-3")).summary["parted"]["sessions"] == {
        "S1-1": "A1",
        "S1-2": "B2",
        "S1-3": "",
        "S1-4": "",
    }


def test_a_packet_of_one_patient_stays_one_session(study: Study) -> None:
    study.put("S1", {**under("A", ANNA.files()), **under("x", NAMELESS.files()), **under("y", PAR)})
    run = study.main("--on-mixed=split")
    assert run.status == 0, run.text
    assert study.session_names() == ["S1"]
    assert "unknown" not in run.text


def test_notes_beside_two_patients_make_no_session(study: Study) -> None:
    study.put("S1", {**TWO, "notes.txt": b"of all"})
    run = study.main("--on-mixed=split")
    assert study.session_names() == ["S1-1", "S1-2"]
    assert "unknown" not in run.text


def test_split_gives_a_series_with_files_of_two_patients_to_neither(tmp_path: Path) -> None:
    first = ANNA.with_(patient="", name="Doe^Anna").files()
    second = ANNA.with_(patient="", name="Roe^Bob").files()
    tree = {**under("A", first), "B/IM9": second["IM0002"].replace(b"ORIGINAL", b"DERIVED ")}
    source = write_packet({**tree, **under("C", BOB.files())}, tmp_path, "mixed", Kind.FOLDER)
    assert run_main("split", str(source), f"--output={tmp_path / 'out'}").status == 0
    assert sorted({path.split("/")[0] for path in read_tree(tmp_path / "out")}) == ["B2", "split.tsv", "unknown"]
