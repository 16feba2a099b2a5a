"""Sessions that a packet is split into, when other packets or an earlier import have the same names."""

import os
import re

import pytest

from qxbatch.session.folder import SessionFolder
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under, write_folder, write_packet
from tests.build.study import Study, snapshot
from tests.faults.unprivileged import unprivileged

PEOPLE = [
    MrSeries(patient=f"P{k}", name=f"Name{k}^X", study=f"s{k}", number=k + 2, slices=2 + k, date=f"2024010{k}")
    for k in range(1, 5)
]
OPTIONS = ("--check=no", "--on-mixed=split", "--n-procs=1")
AGAIN = (*OPTIONS, "--overwrite=yes")


def packet_of(*numbers: int) -> dict[str, bytes]:
    """Return the files of a packet with data of these patients (P1 and so on)."""
    return {path: data for k in numbers for path, data in under(f"p{k}", PEOPLE[k - 1].files()).items()}


def patients(study: Study) -> dict[str, str]:
    """Return the patient of each session."""
    summaries = {name: SessionFolder(study.session(name)).readable_summary for name in study.session_names()}
    return {name: summary.session.patient for name, summary in summaries.items() if summary is not None}


@pytest.mark.parametrize("overwrite", ["yes", "no"])
@pytest.mark.parametrize("archive", ["move", "delete"])
def test_a_session_that_this_run_made_is_not_replaced(study: Study, archive: str, overwrite: str) -> None:
    study.put("AP1", packet_of(1, 2))
    packet = study.put("AP1-1", PEOPLE[2].with_(slices=2).files())
    run = study.main(*OPTIONS, f"--overwrite={overwrite}", f"--archive={archive}")
    assert run.status == 1, run.text
    assert "it would become session AP1-1, and so does another packet of this run" in " ".join(run.text.split())
    assert patients(study) == {"AP1-1": "P1", "AP1-2": "P2"}
    assert [*study.inbox.iterdir()] == [packet]


def test_a_packet_replaces_no_session_that_was_split_from_another(study: Study) -> None:
    study.put("AP1", packet_of(1, 2))
    assert study.main(*OPTIONS).status == 0
    packet = study.put("AP1-1", packet_of(3))
    before = snapshot(study.sessions)
    run = study.main(*AGAIN)
    assert run.status == 1, run.text
    text = " ".join(run.text.split())
    assert "its session AP1-1 exists and was split from AP1, which is another packet; nothing was changed." in text
    assert f"Or move {study.session('AP1-1')} away, and run again:" in text
    assert f"qxbatch {study.sessions} --sessions=AP1-1 " in text
    assert snapshot(study.sessions) == before
    packet.rename(packet.with_name("AP3.zip"))
    assert study.main(*AGAIN).status == 0, "as the hint says"
    assert patients(study) == {"AP1-1": "P1", "AP1-2": "P2", "AP3": "P3"}


@pytest.mark.parametrize("damage", ["closed", "cut short", "a FIFO", "of a newer version", "missing"])
def test_a_packet_replaces_no_session_whose_source_is_unknown(study: Study, damage: str) -> None:
    study.put("AP1", packet_of(1, 2))
    assert study.main(*OPTIONS).status == 0
    study.put("AP1-1", packet_of(3))
    summary = study.session("AP1-1") / "qxbatch" / "summary.json"
    content = summary.read_bytes()
    if damage == "closed":
        summary.chmod(0)
    elif damage in ("a FIFO", "missing"):
        summary.unlink()
        if damage == "a FIFO":
            os.mkfifo(summary)
    else:
        summary.write_bytes(content[:100] if damage == "cut short" else b'{"schema": 99}')
    before = study.session_names(), [*study.inbox.iterdir()]
    run = unprivileged(str(study.sessions), *AGAIN)
    assert run.status == 1, run.text
    text = " ".join(run.text.split())
    assert f"its session AP1-1 exists and may be of another packet, from which it was split: {summary}" in text
    assert f"qxbatch {study.sessions} --sessions=AP1-1 " in text
    assert (study.session_names(), [*study.inbox.iterdir()]) == before
    summary.unlink(missing_ok=True)
    summary.write_bytes(content)
    assert patients(study) == {"AP1-1": "P1", "AP1-2": "P2"}


def test_a_session_with_an_unreadable_summary_and_a_name_of_no_split_is_imported_again(study: Study) -> None:
    study.put("AP1", packet_of(1))
    assert study.main(*OPTIONS).status == 0
    study.put("AP1", packet_of(1))
    (study.session("AP1") / "qxbatch" / "summary.json").write_text("{")
    assert study.main(*AGAIN).status == 0
    assert patients(study) == {"AP1": "P1"}


def test_a_session_of_another_program_with_a_name_of_a_split_is_imported_again(study: Study) -> None:
    write_folder({"session.txt": b"id: AP1-1\n", "nii/31.nii.gz": b"x"}, study.session("AP1-1"))
    study.put("AP1-1", packet_of(1))
    assert study.main(*AGAIN).status == 0
    assert patients(study) == {"AP1-1": "P1"}


def test_a_packet_that_was_split_before_is_left_alone_and_its_sessions_are_named(study: Study) -> None:
    study.put("AP1", packet_of(1, 2))
    assert study.main(*OPTIONS).status == 0
    study.put("AP1", packet_of(1, 2))
    text = " ".join(study.main(*OPTIONS).text.split())
    assert f"AP1.zip it was split into AP1-1 and others; to import it again: qxbatch {study.sessions}" in text
    assert "session AP1 exists" not in text


def test_a_split_packet_and_its_sessions_are_imported_again(study: Study) -> None:
    study.put("AP1", packet_of(1, 2))
    assert study.main(*OPTIONS).status == 0
    study.put("AP1", packet_of(1, 2))
    assert study.main(*AGAIN).status == 0
    run = study.main("--masterinbox=none", "--sessions=AP1-1,AP1-2", *AGAIN)
    assert run.status == 0, f"from their own folders: {run.text}"
    assert patients(study) == {"AP1-1": "P1", "AP1-2": "P2"}


@pytest.mark.parametrize("archive", ["move", "delete"])
@pytest.mark.parametrize("folder", ["", "raw/day1"])
def test_the_emptied_inbox_of_a_split_session_is_not_reported(study: Study, folder: str, archive: str) -> None:
    inbox = study.session("AP1") / "inbox"
    write_packet(packet_of(1, 2), inbox / folder, "A", Kind.ZIP)
    (inbox / "of the user").mkdir()
    options = ("--masterinbox=none", "--sessions=AP*", f"--archive={archive}", *OPTIONS)
    assert study.main(*options).status == 0
    assert [path.name for path in inbox.iterdir()] == ["of the user"], "the folder of the archive is empty, and left"
    write_packet(packet_of(3), study.session("AP3") / "inbox", "C", Kind.ZIP)
    run = study.main(*options)
    assert run.status == 0, run.text
    assert "AP1 it was split into AP1-1 and others" in " ".join(run.text.split())
    assert 'id="not-imported"' not in (study.sessions / "report.html").read_text()
    run = study.main(*options, "--overwrite=yes")
    assert run.status == 0, run.text
    assert patients(study) == {"AP1-1": "P1", "AP1-2": "P2", "AP3": "P3"}


def stale(text: str) -> str:
    """Return the names of sessions that the warning about an earlier import lists; empty if there is none."""
    match = re.search("an earlier import of AP1 made sessions? ([^:]*), and this one did not", " ".join(text.split()))
    return match[1] if match else ""


@pytest.mark.parametrize("names", [(), ("--deidentify-logs",)])
def test_sessions_that_a_packet_is_no_longer_split_into_are_named(study: Study, names: tuple[str, ...]) -> None:
    study.put("AP1", packet_of(1, 2, 3))
    run = study.main(*OPTIONS, *names)
    assert (run.status, stale(run.text)) == (0, ""), run.text
    study.put("AP1", packet_of(2, 3))
    run = study.main(*AGAIN, *names)
    assert (run.status, stale(run.text)) == (0, "AP1-3"), run.text
    study.put("AP1", packet_of(3))
    run = study.main(*AGAIN, *names)
    assert (run.status, stale(run.text)) == (0, "AP1-1, AP1-2, AP1-3"), run.text
    assert study.session_names() == ["AP1", "AP1-1", "AP1-2", "AP1-3"]


def test_a_session_of_a_packet_that_is_split_now_is_named(study: Study) -> None:
    study.put("AP1", packet_of(1))
    assert study.main(*OPTIONS).status == 0
    study.put("AP1", packet_of(1, 2))
    run = study.main(*AGAIN)
    assert (run.status, stale(run.text)) == (0, "AP1"), run.text


def test_sessions_of_other_packets_are_not_taken_for_those_of_a_split(study: Study) -> None:
    for name, k in (("AP1-3", 3), ("AP1-x", 4)):
        study.put(name, packet_of(k))
    study.put("AP1", packet_of(1, 2))
    for options in (OPTIONS, AGAIN):
        run = study.main(*options)
        assert (run.status, stale(run.text)) == (0, ""), run.text
        study.put("AP1", packet_of(1, 2))
