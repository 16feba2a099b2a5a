"""Packets whose session exists, and several packets of one session."""

from pathlib import Path

import pytest

from qxbatch.model import Verdict
from qxbatch.problems import Code
from tests.build.inbox import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty inbox."""
    return Place(tmp_path)


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
    place: Place, path: str, text: str | None
) -> None:
    place.put("AP1.zip").session(path, text)
    each = place.one()
    assert each.verdict is Verdict.ALREADY_THERE
    assert "--overwrite=yes" in each.note
    assert place.one(overwrite="yes").verdict is Verdict.READY


@pytest.mark.parametrize("path", ["AP1", "AP1/dicom", "AP1/nii/sub", "AP1/hcp", "AP10/inbox"])
def test_empty_folders_and_folders_of_other_steps_are_no_session(place: Place, path: str) -> None:
    assert place.put("AP1.zip").session(path).one().verdict is Verdict.READY


def test_two_packets_of_an_existing_session_are_both_skipped(place: Place) -> None:
    verdicts = place.put("AP1.zip", "AP1.tar").session("AP1/inbox").found()
    assert {verdict for verdict, _ in verdicts.values()} == {Verdict.ALREADY_THERE}


def test_two_packets_of_one_session_are_both_refused_and_named(place: Place) -> None:
    judged = {each.path.name: each for each in place.put("OP1/", "OP1.zip", "OP2.zip").candidates()}
    assert judged["OP2.zip"].verdict is Verdict.READY
    for name, other in (("OP1", "OP1.zip"), ("OP1.zip", "OP1")):
        assert judged[name].verdict is Verdict.REFUSED
        assert judged[name].problem.code is Code.SAME_SESSION
        assert other in judged[name].problem.subject
        assert judged[name].problem == judged[other].problem, "one message for both"


def test_two_packets_of_one_session_are_merged_on_request(place: Place) -> None:
    judged = place.put("OP1/", "OP1.zip").candidates(on_same_session="merge")
    assert [each.verdict for each in judged] == [Verdict.READY, Verdict.READY]
    assert {each.session.id for each in judged} == {"OP1"}


def test_a_par_and_its_rec_are_one_packet(place: Place) -> None:
    judged = place.put("S1.PAR", "s1.rec", "S2.REC").candidates()
    assert [(each.path.name, each.verdict) for each in judged] == [
        ("S1.PAR", Verdict.READY),
        ("S2.REC", Verdict.STRAY),
        ("s1.rec", Verdict.READY),
    ]
    assert [each.session and each.session.id for each in judged] == ["S1", None, "S1"]


def test_a_par_and_a_folder_of_the_same_name_are_two_packets(place: Place) -> None:
    assert {verdict for verdict, _ in place.put("S1.PAR", "S1.REC", "S1/").found().values()} == {Verdict.REFUSED}
