"""The BIDS-App form reads subject and session from BIDS packet names."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import Kind, write_packet
from tests.build.study import Run, run_main

NAMES = ("sub-105_ses-1", "sub-105_ses-2", "sub-106", "AP7")


@pytest.fixture
def packets(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in NAMES:
        write_packet(MrSeries(patient=name).files(), folder, name, Kind.ZIP)
    return folder


def participant(packets: Path, *options: str) -> Run:
    return run_main(str(packets), str(packets.parent / "out"), "participant", *options)


def sessions(packets: Path) -> list[str]:
    folders = (packets.parent / "out").iterdir()
    return sorted(path.name for path in folders if path.is_dir() and path.name[0] != "." and path.name != "archive")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["--participant-label", "105"], ["sub-105_ses-1", "sub-105_ses-2"]),
        (["--participant-label", "sub-105", "106"], ["sub-105_ses-1", "sub-105_ses-2", "sub-106"]),
        (["--participant-label=105,AP7"], ["AP7", "sub-105_ses-1", "sub-105_ses-2"]),
        (["--session-label", "ses-1"], ["sub-105_ses-1"]),
        (["--participant-label", "105", "--session-label", "2"], ["sub-105_ses-2"]),
    ],
)
def test_labels_find_packets_named_as_in_bids(packets: Path, labels: Sequence[str], expected: list[str]) -> None:
    run = participant(packets, *labels)
    assert run.status == 0, run.text
    assert sessions(packets) == expected


def test_the_session_has_the_name_of_the_packet_and_the_subject_in_it(packets: Path) -> None:
    assert participant(packets).status == 0
    assert sessions(packets) == sorted(NAMES)
    subjects = {"sub-105_ses-1": "105", "sub-106": "106", "AP7": "AP7"}
    for name, subject in subjects.items():
        lines = (packets.parent / "out" / name / "session.txt").read_text().splitlines()
        assert [f"id: {name}", f"subject: {subject}"] == lines[1:3]


@pytest.mark.parametrize("option", ["--nameformat=(?P<subject_id>.*)", "--pattern=(?P<packet_name>.*)[.]zip"])
def test_an_expression_of_the_user_replaces_the_bids_name(packets: Path, option: str) -> None:
    assert participant(packets, option, "--participant-label", "106").status == 0
    assert "subject: sub-106" in (packets.parent / "out/sub-106/session.txt").read_text()
    assert participant(packets, option, "--participant-label", "105").status == 66


def test_another_form_keeps_the_whole_name(packets: Path) -> None:
    out = packets.parent / "out"
    assert run_main(str(out), f"--masterinbox={packets}", "--archive=leave").status == 0
    assert "subject: sub-105_ses-1" in (out / "sub-105_ses-1/session.txt").read_text()


def test_the_level_group_finds_the_same_labels(packets: Path) -> None:
    participant(packets)
    run = run_main(str(packets), str(packets.parent / "out"), "group", "--participant-label", "105")
    assert run.status == 0
    table = (packets.parent / "out/study.tsv").read_text().splitlines()
    assert [line.split("\t")[:3] for line in table[1:]] == [
        ["sub-105_ses-1", "105", "1"],
        ["sub-105_ses-2", "105", "2"],
    ]
