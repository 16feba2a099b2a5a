"""The calls in the manual of the reference (QuNex's import_dicom), and the files before and after each."""

from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under, write_packet
from tests.build.study import STUDY_LEVEL, Run, Study, run_command

PATTERN = r"--pattern=.*?-(?P<packet_name>.*?)($|\..*$)"
NAMEFORMAT = "--nameformat=(?P<subject_id>.*?)_(?P<session_name>.*)"
SELECTED = "--sessions=AP.*,HQ.*"


def tree(patient: str) -> dict[str, bytes]:
    """Return a packet of one series, with a note."""
    return {**under("scans", MrSeries(patient=patient, slices=4).files()), "note.txt": patient.encode()}


RESULTS = (
    "dicom/30.tar.gz",
    "dicom/DICOM-Report.txt",
    "dicom/dcm2niix_30.log",
    "nii/31.json",
    "nii/31.nii.gz",
    "qxbatch/ledger.tsv",
    "qxbatch/pictures/31.png",
    "qxbatch/pictures/thumbnail.png",
    "qxbatch/report.html",
    "qxbatch/summary.json",
    "session.txt",
)


def files(study: Study) -> set[str]:
    """Return the files below the sessions folder, except those of the study level."""
    every = {path.relative_to(study.sessions).as_posix() for path in study.sessions.rglob("*") if path.is_file()}
    return every - set(STUDY_LEVEL)


def session(name: str, *kept: str) -> set[str]:
    """Return the files of an imported session: its results, and the kept files in its inbox."""
    return {f"{name}/{path}" for path in (*RESULTS, *(f"inbox/{each}" for each in kept))}


def imported(study: Study) -> dict[str, str]:
    """Return the subject in session.txt by session; each session must have its image and its series."""
    subjects = {}
    for name in study.session_names():
        lines = (study.session(name) / "session.txt").read_text().splitlines()
        header = dict(line.split(": ", 1) for line in lines if line.startswith(("id:", "subject:")))
        assert header["id"] == name
        assert [path.name for path in sorted((study.session(name) / "nii").glob("*.nii.gz"))] == ["31.nii.gz"]
        assert (study.session(name) / "dicom/30.tar.gz").is_file()
        subjects[name] = header["subject"]
    return subjects


OP386_FILES = ("OP386/note.txt", *(f"OP386/scans/IM000{k}" for k in (1, 2, 3, 4)))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def successful(run: Run) -> Run:
    """Return a run that must have ended with status 0."""
    assert run.status == 0, run.text
    return run


def test_all_packets_of_the_inbox(study: Study) -> None:
    study.put("AP4876", tree("a"))
    study.put("OP386", tree("b"), Kind.FOLDER)
    study.put("OP387", tree("c"), Kind.TAR_GZ)
    before = files(study)
    assert before == {f"inbox/MR/{name}" for name in ("AP4876.zip", "OP387.tar.gz", *OP386_FILES)}
    successful(study.main("--check=any"))
    packets = {name.replace("inbox/", "archive/") for name in before}
    assert files(study) == packets.union(*(session(name, "note.txt") for name in ("AP4876", "OP386", "OP387")))
    assert imported(study) == {"AP4876": "AP4876", "OP386": "OP386", "OP387": "OP387"}
    assert names(study.inbox) == []
    assert names(study.archive) == ["AP4876.zip", "OP386", "OP387.tar.gz"]


def test_packets_named_by_expressions(study: Study) -> None:
    for name in ("AP1", "HQ2", "WID3"):
        study.put(name, tree(name))
    assert files(study) == {"inbox/MR/AP1.zip", "inbox/MR/HQ2.zip", "inbox/MR/WID3.zip"}
    successful(study.main(SELECTED, "--check=any"))
    packets = {"archive/MR/AP1.zip", "archive/MR/HQ2.zip", "inbox/MR/WID3.zip"}
    assert files(study) == packets | session("AP1", "note.txt") | session("HQ2", "note.txt")
    assert imported(study) == {"AP1": "AP1", "HQ2": "HQ2"}
    assert names(study.inbox) == ["WID3.zip"]
    assert names(study.archive) == ["AP1.zip", "HQ2.zip"]


def test_a_pattern_that_extracts_the_packet_name(study: Study) -> None:
    study.put("Yale-AP4983", tree("a"))
    study.put("Yale-HQ1", tree("b"), Kind.FOLDER)
    study.put("AP4984", tree("c"))
    successful(study.main(PATTERN, SELECTED, "--check=any"))
    assert imported(study) == {"AP4983": "AP4983", "HQ1": "HQ1"}
    assert names(study.inbox) == ["AP4984.zip"]
    assert names(study.archive) == ["Yale-AP4983.zip", "Yale-HQ1"]


def test_a_name_format_with_a_session(study: Study) -> None:
    study.put("Yale-AP4876_Baseline", tree("a"))
    assert files(study) == {"inbox/MR/Yale-AP4876_Baseline.zip"}
    successful(study.main(PATTERN, SELECTED, NAMEFORMAT, "--check=any"))
    assert files(study) == {"archive/MR/Yale-AP4876_Baseline.zip"} | session("AP4876_Baseline", "note.txt")
    assert imported(study) == {"AP4876_Baseline": "AP4876"}


def test_a_logfile_that_maps_packets_to_sessions(study: Study, tmp_path: Path) -> None:
    table = tmp_path / "scanning_sessions.csv"
    table.write_text("scanning code,subject,session,date of scan\nAP4983,S001,baseline,2019-03-21\nHQ1,S002,,\n")
    logfile = f"--logfile=path:{table}|packet_name:1|subject_id:2|session_name:3"
    study.put("Yale-AP4983", tree("a"))
    study.put("Yale-HQ1", tree("b"), Kind.TAR)
    study.put("Yale-AP9", tree("c"))
    run = successful(study.main(PATTERN, SELECTED, logfile, "--check=any"))
    packets = {"archive/MR/Yale-AP4983.zip", "archive/MR/Yale-HQ1.tar", "inbox/MR/Yale-AP9.zip"}
    assert files(study) == packets | session("S001_baseline", "note.txt") | session("S002", "note.txt")
    assert imported(study) == {"S001_baseline": "S001", "S002": "S002"}
    assert names(study.inbox) == ["Yale-AP9.zip"]
    assert "AP9" in run.text


@pytest.fixture
def folders(study: Study) -> Study:
    """Session folders with data in their own inbox."""
    packets = {"S001_baseline": "AYXQ", "S001_incentive": "TWGS", "S002_baseline": "OHTZ", "S002_incentive": "QRTD"}
    for name, packet in packets.items():
        kind = Kind.TAR_GZ if name.startswith("S001") else Kind.ZIP
        write_packet(tree(name), study.sessions / name / "inbox", packet, kind)
    return study


PACKETS = {
    "S001_baseline/inbox/AYXQ.tar.gz",
    "S001_incentive/inbox/TWGS.tar.gz",
    "S002_baseline/inbox/OHTZ.zip",
    "S002_incentive/inbox/QRTD.zip",
}


def kept_note(packet: str) -> str:
    """Return where the note of a packet is kept in the inbox."""
    return f"{packet.rsplit('/', maxsplit=1)[-1]}_files/note.txt"


def test_session_folders_named_by_a_glob(folders: Study) -> None:
    before = files(folders)
    assert before == PACKETS
    successful(folders.main("--masterinbox=none", "--sessions=S*", "--archive=leave"))
    results = {path for packet in PACKETS for path in session(packet.split("/")[0], kept_note(packet))}
    assert files(folders) == before | results
    subjects = {name: name for name in ("S001_baseline", "S001_incentive", "S002_baseline", "S002_incentive")}
    assert imported(folders) == subjects
    assert "AYXQ.tar.gz" in names(folders.session("S001_baseline") / "inbox")


def test_packets_of_session_folders_can_be_deleted(folders: Study) -> None:
    words = ("--masterinbox=none", "--sessions=*baseline", "--archive=delete", "--nameformat=(?P<subject_id>.*?)_.*")
    successful(folders.main(*words))
    deleted = {"S001_baseline/inbox/AYXQ.tar.gz", "S002_baseline/inbox/OHTZ.zip"}
    results = {path for packet in deleted for path in session(packet.split("/")[0], kept_note(packet))}
    assert files(folders) == (PACKETS - deleted) | results
    for name, subject, packet in (("S001_baseline", "S001", "AYXQ.tar.gz"), ("S002_baseline", "S002", "OHTZ.zip")):
        assert f"subject: {subject}\n" in (folders.session(name) / "session.txt").read_text()
        assert packet not in names(folders.session(name) / "inbox")
    for name in ("S001_incentive", "S002_incentive"):
        assert names(folders.session(name)) == ["inbox"]
    assert names(folders.archive) == []


def test_a_call_of_the_reference_runs_unchanged(study: Study) -> None:
    study.put("AP1", tree("a"))
    words = [
        "import_dicom",
        f"--sessionsfolder={study.sessions}",
        "--check",
        "any",
        "--add_json_info=all",
        "--archive",
        "copy",
    ]
    successful(
        run_command(*words, "--verbose=no", "--overwrite=no", "--parelements=all", "--gzip=folder", "--unzip=yes")
    )
    assert imported(study) == {"AP1": "AP1"}
    assert (names(study.inbox), names(study.archive)) == (["AP1.zip"], ["AP1.zip"])


def test_a_second_run_finds_nothing_to_do(study: Study) -> None:
    study.put("AP1", tree("a"))
    successful(study.main("--archive=leave"))
    again = study.main("--archive=leave")
    assert again.status == 66
    assert "already there" in again.text
    assert study.main("--archive=leave", "--check=no").status == 0


def test_a_dry_run_writes_nothing(study: Study) -> None:
    study.put("AP1", tree("a"))
    assert "AP1" in successful(study.main("--test")).text
    assert study.session_names() == []
    assert names(study.inbox) == ["AP1.zip"]
