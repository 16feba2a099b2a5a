"""Overwrite, packets of one session, packets of several patients: inbox mode, run for real."""

import json
from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import Kind, read_tree, under, write_folder
from tests.build.study import Run, Study, snapshot
from tests.endtoend.judge import Judge

T1 = MrSeries(number=3, description="T1w")
BOLD = MrSeries(number=4, description="BOLD", volumes=2, time="102000")
OTHER = MrSeries(number=3, description="T1w", patient="P777", date="20240116")
MIXED = {**under("a", T1.files()), **under("b", OTHER.files()), "a/notes": b"of a", "b/notes": b"of b"}


def done(run: Run) -> Run:
    assert run.status == 0, run.text
    return run


def replaced(study: Study) -> dict[str, bytes]:
    folder = study.archive.parent / "replaced"
    return read_tree(folder) if folder.exists() else {}


@pytest.fixture
def imported(study: Study) -> Study:
    """A study with session S1, whose packet is in the archive, and a folder of a later step."""
    study.put("S1", {**T1.files(), "notes": b"first"})
    done(study.main())
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


def test_the_same_packet_again_changes_nothing_but_the_time(imported: Study) -> None:
    before = snapshot(imported.session("S1"))
    (imported.archive / "S1.zip").rename(imported.inbox / "S1.zip")
    done(imported.main("--overwrite=yes"))
    volatile = {"session.txt", "qxbatch/summary.json", "qxbatch/report.html", "dicom/dcm2niix_30.log"}
    after = snapshot(imported.session("S1"))
    assert {name for name in {*before, *after} if before.get(name) != after.get(name)} <= volatile
    assert replaced(imported) == {}


def test_another_packet_takes_the_place_and_the_archived_one_holds_the_old_bytes(imported: Study) -> None:
    packet = imported.put("S1", {**BOLD.files(), "notes": b"second"})
    data = packet.read_bytes()
    done(imported.main("--overwrite=yes"))
    session = imported.session("S1")
    assert sorted(Judge(session).check({**BOLD.files(), "notes": b"second"}).text.images) == [41]
    assert (session / "hcp/T1w/x").read_bytes() == b"a later step's"
    assert (imported.archive / "S1_2.zip").read_bytes() == data
    kept = replaced(imported)
    assert "S1-1/nii/31.nii.gz" in kept, "an image is no member of a packet"
    assert [name for name in kept if "30.tar.gz" in name or "notes" in name] == [], "the archive holds them"


def test_bytes_that_no_archived_packet_holds_are_kept(imported: Study) -> None:
    old = (imported.session("S1") / "dicom/30.tar.gz").read_bytes()
    (imported.archive / "S1.zip").write_bytes(b"not the packet any more")
    imported.put("S1", BOLD.files())
    run = done(imported.main("--overwrite=yes"))
    kept = replaced(imported)
    assert kept["S1-1/dicom/30.tar.gz"] == old
    assert kept["S1-1/inbox/notes"] == b"first"
    assert "replaced" in run.text


def test_what_fails_leaves_the_old_session(imported: Study) -> None:
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
    done(study.main(f"--archive={mode}"))
    names = sorted(path.name for path in study.archive.iterdir())
    assert names == ["S1.zip", "S1_2.zip", "S2", "S2_2"]
    assert (study.archive / "S1.zip").read_bytes() == b"of another year"


def test_two_packets_of_one_session_are_refused_or_merged(study: Study) -> None:
    study.put("S1-a", {**T1.files(), "notes": b"a"})
    study.put("S1-b", {**BOLD.files(), "notes": b"b"}, Kind.TAR)
    words = ("--nameformat=(?P<subject_id>.*?)-.*",)
    before = snapshot(study.sessions)
    run = study.main(*words)
    assert run.status == 1
    assert "S1-a.zip" in run.text
    assert "--on-same-session=merge" in run.text
    assert snapshot(study.sessions) == before
    done(study.main(*words, "--on-same-session=merge"))
    judge = Judge(study.session("S1"))
    judge.check_places()
    assert sorted(judge.text.images) == [31, 41]
    assert {row["path"] for row in judge.rows if row["fate"] == "kept"} == {"S1-a.zip!notes", "S1-b.tar!notes"}
    assert sorted(path.name for path in study.archive.iterdir()) == ["S1-a.zip", "S1-b.tar"]


def test_several_studies_of_one_patient_are_merged_with_a_warning(study: Study) -> None:
    second = T1.with_(study="study 2", date="20240201")
    study.put("S1", {**under("a", T1.files()), **under("b", second.files())})
    run = done(study.main())
    assert "2 studies" in run.text
    assert sorted(Judge(study.session("S1")).text.images) == [31, 100031]


def test_a_packet_of_two_patients_is_parted_and_the_mapping_is_told(study: Study) -> None:
    study.put("S1", MIXED)
    run = done(study.main("--on-mixed=split", "--archive=leave"))
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


def test_a_parted_packet_whose_session_a_logfile_names_hides_the_patients(study: Study, tmp_path: Path) -> None:
    table = tmp_path / "log.csv"
    table.write_text("AP1,S7\n")
    study.put("AP1", MIXED)
    run = done(study.main(f"--logfile=path:{table}|packet_name:1|subject_id:2", "--on-mixed=split"))
    assert "P777" not in run.text
    told = json.loads((study.session("S7-2") / "qxbatch/summary.json").read_bytes())
    assert told["parted"] == {"from": "S7", "sessions": {"S7-1": "", "S7-2": ""}}


@pytest.mark.parametrize(
    ("value", "expected"),
    [("folder", {"dicom/30.tar.gz"}), ("file", {".dcm.gz"}), ("no", {".dcm"})],
)
def test_gzip_says_how_dicom_is_kept(study: Study, value: str, expected: set[str]) -> None:
    study.put("S1", T1.files())
    done(study.main(f"--gzip={value}"))
    Judge(study.session("S1")).check(T1.files())
    names = [path.relative_to(study.session("S1")).as_posix() for path in study.session("S1").glob("dicom/30*/**/*")]
    names += [path.relative_to(study.session("S1")).as_posix() for path in study.session("S1").glob("dicom/*.tar.gz")]
    assert names
    assert all(any(name.endswith(end) for end in expected) for name in names)


def test_names_and_fields_of_images_can_be_chosen(study: Study) -> None:
    study.put("S1", T1.files())
    done(study.main("--add-image-type=2", "--add-json-info=all"))
    line = Judge(study.session("S1")).text.images[31]
    assert line.name == "T1w M ND"
    assert line.info["TR"] == "2"
