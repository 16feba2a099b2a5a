"""No message of a run occurs twice, in inbox mode and in folder mode."""

from collections import Counter

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under, write_folder, zipped
from tests.build.parrec import ParRec
from tests.build.shell import problems
from tests.build.study import Run, Study

T1 = MrSeries(number=3, description="T1w")
TREE = under("T1", T1.files())
OTHER = under("T2", T1.with_(patient="P2", number=4).files())
PAR = {f"x/scan{k}.PAR": ParRec(acquisition=k).par().encode("latin-1") for k in (4, 5)}
FOLDER_MODE = ("--masterinbox=none", "--sessions=*")


def repeated(run: Run) -> list[str]:
    """Return messages that occur more than once in a run's output: lines with their subject, without hints and progress."""
    lines = Counter(line.strip() for line in run.text.splitlines() if not line.startswith(("      ", "[")))
    return [line for line, count in lines.items() if line and count > 1]


def test_nothing_ready_is_said_once(study: Study) -> None:
    for options in ((), ("--quiet",), ("--sessions=X",)):
        run = study.main(*options)
        assert run.status == 66
        assert run.text.count("Nothing is ready") == 1
        assert run.text.count("With --check=no this is not an error") == 1


def test_packets_of_one_session_are_refused_in_one_message(study: Study) -> None:
    for kind in (Kind.ZIP, Kind.TAR, Kind.TAR_GZ):
        study.put("S1", TREE, kind)
    run = study.main()
    assert run.status == 1
    assert run.text.count("belong to one session, S1.") == 1
    assert "S1.tar, S1.tar.gz, S1.zip: belong" in run.text
    assert repeated(run) == []


@pytest.mark.parametrize("mode", ["inbox", "folder"])
def test_pars_without_their_recs_are_one_failure_that_names_them(study: Study, mode: str) -> None:
    if mode == "inbox":
        study.put("S1", {**TREE, **PAR}, Kind.FOLDER)
    else:
        write_folder({**TREE, **PAR}, study.session("S1") / "inbox")
    options = () if mode == "inbox" else FOLDER_MODE
    found = [each for each in problems(study, *options) if each["severity"] != "info"]
    assert {(each["code"], each["severity"]) for each in found} == {("unpaired", "error")}
    run = study.main(*options, "--overwrite=yes") if mode == "folder" else None
    if run is not None:
        assert run.status == 1
        assert run.text.count("without its REC") == 1
        assert repeated(run) == []


def test_pars_that_are_only_sorted_are_a_warning(study: Study) -> None:
    write_folder({**TREE, **PAR}, study.session("S1") / "inbox")
    from tests.build.study import run_main

    run = run_main("sort", str(study.session("S1")))
    assert run.status == 0, run.text
    assert "To look at:" in run.text
    assert run.text.count("without its REC") == 1


def test_a_study_with_many_faults_says_each_once(study: Study) -> None:
    cut = zipped(OTHER)
    packets = {
        "mixed": {**TREE, **OTHER},
        "closed": {"a.zip": cut[:-200]},
        "left": {**TREE, "a.zip": cut[:-200], "T1/IM0009": b""},
        "notes": {"notes.txt": b"x"},
        "QC": TREE,
        "short": {**TREE, "T1/IM0002": TREE["T1/IM0002"][:-10]},
    }
    for name, tree in packets.items():
        study.put(name, tree, Kind.FOLDER)
        write_folder(tree, study.session(f"{name}-2") / "inbox")
    assert repeated(study.main()) == []
    assert repeated(study.main(*FOLDER_MODE[:1], "--sessions=*-2")) == []


@pytest.mark.parametrize(
    ("copies", "sentence"),
    [
        (1, "1 file has the same bytes as another file of the series and was not stored again."),
        (2, "2 files have the same bytes as another file of the series and were not stored again."),
    ],
)
def test_copies_of_the_files_of_a_series_are_one_warning(study: Study, copies: int, sentence: str) -> None:
    data = next(iter(T1.files().values()))
    study.put("S1", {**TREE, **{f"copy{k}": data for k in range(copies)}})
    found = [each for each in problems(study) if each["code"] == "duplicates"]
    assert [(each["severity"], each["message"]) for each in found] == [("warning", sentence)]
