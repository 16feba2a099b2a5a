"""Sessions that exist, and several packets of one session."""

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
def test_a_session_that_exists_is_left_alone_and_says_what_to_do(place: Place, path: str, text: str | None) -> None:
    place.put("AP1.zip").session(path, text)
    each = place.one()
    assert each.verdict is Verdict.ALREADY_THERE
    assert "--overwrite=yes" in each.note
    assert place.one(overwrite="yes").verdict is Verdict.READY


@pytest.mark.parametrize("path", ["AP1", "AP1/dicom", "AP1/nii/sub", "AP1/hcp", "AP10/inbox"])
def test_empty_folders_and_other_steps_are_no_session(place: Place, path: str) -> None:
    assert place.put("AP1.zip").session(path).one().verdict is Verdict.READY


def test_two_packets_of_a_session_that_exists_are_both_already_there(place: Place) -> None:
    found = place.put("AP1.zip", "AP1.tar").session("AP1/inbox").found()
    assert {verdict for verdict, _ in found.values()} == {Verdict.ALREADY_THERE}


def test_two_packets_of_one_session_are_both_refused_and_named(place: Place) -> None:
    found = {each.path.name: each for each in place.put("OP1/", "OP1.zip", "OP2.zip").candidates()}
    assert found["OP2.zip"].verdict is Verdict.READY
    for name, other in (("OP1", "OP1.zip"), ("OP1.zip", "OP1")):
        assert found[name].verdict is Verdict.REFUSED
        assert found[name].problem.code is Code.SAME_SESSION
        assert other in found[name].problem.subject
        assert found[name].problem == found[other].problem, "one message for both"


def test_two_packets_of_one_session_are_merged_on_request(place: Place) -> None:
    found = place.put("OP1/", "OP1.zip").candidates(on_same_session="merge")
    assert [each.verdict for each in found] == [Verdict.READY, Verdict.READY]
    assert {each.session.id for each in found} == {"OP1"}


def test_a_par_and_its_rec_are_one_packet(place: Place) -> None:
    found = place.put("S1.PAR", "s1.rec", "S2.REC").candidates()
    assert [(each.path.name, each.verdict) for each in found] == [
        ("S1.PAR", Verdict.READY),
        ("S2.REC", Verdict.STRAY),
        ("s1.rec", Verdict.READY),
    ]
    assert [each.session and each.session.id for each in found] == ["S1", None, "S1"]


def test_a_par_and_a_folder_of_the_same_name_are_two_packets(place: Place) -> None:
    assert {verdict for verdict, _ in place.put("S1.PAR", "S1.REC", "S1/").found().values()} == {Verdict.REFUSED}
