"""Loose DICOM files in the inbox: those of one study are refused together, with the command that moves them into a folder."""

import shlex
import subprocess
from pathlib import Path

import pytest

from qxbatch.discover.candidates import candidates
from qxbatch.model import Verdict
from qxbatch.problems import Code
from qxbatch.settings.parse import parse
from tests.build.dicom import MrSeries
from tests.build.inbox import DummyStudy, sniff
from tests.build.study import Study

SERIES = MrSeries(number=3, description="T1w")


def read_nothing(_paths):
    raise AssertionError("headers are read")


def judged(dummy: DummyStudy, studies, **given: str):
    settings = parse({"sessionsfolder": str(dummy.sessions), **given}).settings
    return {each.path.name: each for each in candidates(settings, sniff=sniff, studies=studies)}


def one_study(paths):
    return ["a"] * len(paths)


@pytest.fixture
def dummy(tmp_path: Path) -> DummyStudy:
    """An empty inbox."""
    return DummyStudy(tmp_path)


def test_no_header_is_read_for_a_single_loose_file(dummy: DummyStudy) -> None:
    dummy.put("IM1.dcm", "S1.zip", "S2/")
    assert {each.verdict for each in judged(dummy, read_nothing).values()} == {Verdict.READY}


def test_no_header_of_a_filtered_file_is_read(dummy: DummyStudy) -> None:
    dummy.put("IM1.dcm", "IM2.dcm")
    assert judged(dummy, read_nothing, sessions="IM1.dcm")["IM1.dcm"].verdict is Verdict.READY


def test_files_of_one_study_share_one_problem(dummy: DummyStudy) -> None:
    results = judged(dummy.put("IM1.dcm", "IM2.dcm", "IM3.dcm", "S1.zip"), one_study)
    assert results["S1.zip"].verdict is Verdict.READY
    problems = {results[f"IM{k}.dcm"].problem for k in (1, 2, 3)}
    [problem] = problems
    assert problem.code is Code.LOOSE_FILES
    assert problem.subject == str(dummy.inbox)


def test_files_of_different_studies_are_packets(dummy: DummyStudy) -> None:
    results = judged(dummy.put("A.dcm", "B.dcm", "C.dcm"), lambda _: ["1", "2", "1"])
    assert [results[f"{name}.dcm"].verdict for name in "ABC"] == [Verdict.REFUSED, Verdict.READY, Verdict.REFUSED]


def test_each_study_gets_a_separate_folder(dummy: DummyStudy) -> None:
    results = judged(
        dummy.put("A1.dcm", "A2.dcm", "B1.dcm", "B2.dcm", "S1.zip"), lambda paths: [p.name[0] for p in paths]
    )
    commands = {results[name].problem.command.split(" && ")[0] for name in ("A1.dcm", "B1.dcm")}
    assert commands == {f"mkdir {dummy.inbox / folder}" for folder in ("S2", "S3")}


def test_the_new_folder_has_the_name_of_no_existing_session(dummy: DummyStudy) -> None:
    (dummy.sessions / "S1").mkdir()
    dummy.put("A1.dcm", "A2.dcm", "S2.zip")
    assert shlex.split(judged(dummy, one_study)["A1.dcm"].problem.command)[1] == str(dummy.inbox / "S3")


def test_files_whose_folder_can_only_belong_to_an_existing_session_get_the_split_command(dummy: DummyStudy) -> None:
    (dummy.sessions / "S").mkdir()
    results = judged(dummy.put("S-A.dcm", "S-B.dcm"), one_study, nameformat="(?P<subject_id>S).*", overwrite="yes")
    assert shlex.split(results["S-A.dcm"].problem.command)[:2] == ["qxbatch", "split"]


def test_files_whose_study_is_unknown_are_packets(dummy: DummyStudy) -> None:
    results = judged(dummy.put("A.dcm", "B.dcm"), lambda _: ["", ""])
    assert {each.verdict for each in results.values()} == {Verdict.READY}


def test_files_that_merge_into_one_session_are_packets(dummy: DummyStudy) -> None:
    given = {"pattern": r"(?P<packet_name>[^_]*)_.*", "on_same_session": "merge"}
    results = judged(dummy.put("S1_1.dcm", "S1_2.dcm"), one_study, **given)
    assert {each.verdict for each in results.values()} == {Verdict.READY}


@pytest.mark.parametrize(
    ("files", "others"),
    [
        (["IM1.dcm", "IM2.dcm", "IM10.dcm"], ["S2/"]),
        (["IM1.dcm", "IM2.dcm"], ["IM3.dcm"]),
        (["a b'1.dcm", "a b'2.dcm"], ["S1/"]),
        ([f"{k}.dcm" for k in range(1000, 1030)], []),
    ],
)
def test_the_command_moves_the_files_of_the_study_and_no_others(
    dummy: DummyStudy, files: list[str], others: list[str]
) -> None:
    dummy.put(*files, *others)
    results = judged(dummy, lambda paths: ["a" if path.name in files else "b" for path in paths])
    problem = next(each.problem for name, each in results.items() if name in files and each.problem)
    subprocess.run(["sh", "-c", problem.command], check=True)
    folder = Path(shlex.split(problem.command)[1])
    assert sorted(path.name for path in folder.iterdir()) == sorted(files)
    assert sorted(path.name for path in dummy.inbox.iterdir()) == sorted(
        [folder.name, *(o.rstrip("/") for o in others)]
    )


@pytest.mark.parametrize("files", [["1", "2", "3"], ["S11", "S12"]])
def test_the_command_does_not_move_the_new_folder_into_itself(dummy: DummyStudy, files: list[str]) -> None:
    settings = parse({"sessionsfolder": str(dummy.put(*files).sessions)}).settings
    problem = candidates(settings, sniff=lambda _: "dicom", studies=one_study)[0].problem
    assert problem is not None
    subprocess.run(["sh", "-c", problem.command], check=True)
    assert [path.name for path in dummy.inbox.iterdir()] == ["S1"]
    assert sorted(path.name for path in (dummy.inbox / "S1").iterdir()) == files


def test_many_files_without_a_common_prefix_get_the_split_command(dummy: DummyStudy) -> None:
    files = [f"{chr(97 + k)}.dcm" for k in range(25)]
    results = judged(dummy.put(*files, "zz.dcm"), lambda paths: ["b" if p.name == "zz.dcm" else "a" for p in paths])
    command = results["a.dcm"].problem.command
    assert shlex.split(command)[:3] == ["qxbatch", "split", str(dummy.inbox)]


def test_the_command_maps_paths_of_a_container(dummy: DummyStudy) -> None:
    results = judged(dummy.put("IM1.dcm", "IM2.dcm"), one_study, path_map=f"{dummy.sessions}=/outside")
    assert shlex.split(results["IM1.dcm"].problem.command)[1] == "/outside/inbox/MR/S1"


def put_loose(study: Study, *series: MrSeries) -> None:
    for each in series:
        for k, data in enumerate(each.files().values()):
            (study.inbox / f"IM{each.number}{k}.dcm").write_bytes(data)


def test_the_files_of_a_study_give_one_message_with_a_working_command(study: Study) -> None:
    put_loose(study, SERIES, MrSeries(number=4, description="T2w"))
    for test in ([], ["--test"]):
        run = study.run(*test)
        assert run.status == 1, run.text
        assert study.session_names() == []
        assert run.text.count("mkdir ") == 1
    command = next(line.strip() for line in run.text.splitlines() if "mkdir " in line)
    subprocess.run(["sh", "-c", command], check=True)
    assert study.run().status == 0
    assert study.session_names() == ["S1"]


def test_two_loose_files_of_two_patients_are_two_packets(study: Study) -> None:
    for patient in ("P1", "P2"):
        data = next(iter(MrSeries(number=3, patient=patient).files().values()))
        (study.inbox / f"{patient}.dcm").write_bytes(data)
    run = study.run("--archive=leave")
    assert run.status == 0, run.text
    assert study.session_names() == ["P1.dcm", "P2.dcm"]
