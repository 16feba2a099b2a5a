"""A packet of generated DICOM gives the same session in every kind of packing."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.build.dicom import MrSeries, encoded
from tests.build.objects import dicomdir, report
from tests.build.packets import Kind, packed, under
from tests.build.parrec import ParRec
from tests.build.study import Study, snapshot
from tests.endtoend.judge import Judge

COMPARE = Path(__file__).resolve().parents[2] / "scripts" / "compare-trees"
T1 = MrSeries(number=3, description="T1w")
BOLD = MrSeries(number=4, description="BOLD", volumes=3, time="102000")
REPORT = MrSeries(number=99, description="Phoenix", time="110000")
FILES = {
    **under("T1", T1.files()),
    **under("BOLD", BOLD.files()),
    "report": encoded(report(REPORT)),
    "DICOMDIR": dicomdir(T1),
    "notes/README": b"not an image\n",
}
TREE = dict(sorted(FILES.items()))


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.name.lower())
def test_every_kind_of_packet_gives_the_session(kind: Kind, study: Study) -> None:
    packet = study.put("S1", TREE, kind)
    run = study.run()
    assert run.status == 0, run.text
    judge = Judge(study.session("S1")).check(TREE)
    assert sorted(judge.text.images) == [31, 41]
    assert judge.text.images[41].name == "BOLD"
    assert judge.states() == {30: "converted", 40: "converted", 990: "nothing to convert"}
    assert judge.files_in_log(40) == 9
    voxels = np.asarray(judge.image(31).dataobj)
    assert np.array_equal(voxels, T1.volume().transpose(2, 1, 0)[:, ::-1])
    assert not packet.exists()
    assert (study.archive / packet.name).exists()
    assert [path.name for path in study.sessions.iterdir() if path.name.startswith(".")] == []


def test_packing_makes_no_difference(tmp_path: Path) -> None:
    studies = {}
    for kind in (Kind.FOLDER, Kind.ZIP, Kind.TAR_GZ):
        study = studies[kind] = Study(tmp_path / kind.name)
        study.put("S1", TREE, kind)
        assert study.run().status == 0
    first, *others = (study.session("S1") for study in studies.values())
    for other in others:
        done = subprocess.run(
            [sys.executable, COMPARE, "--moved", first, other], capture_output=True, text=True, check=False
        )
        # The packets' names and sizes differ, and are in the summary and on the page.
        expected = ("qxbatch/summary.json: packets[0].", "<dt>packets</dt>")
        lines = [line for line in done.stdout.splitlines() if not any(text in line for text in expected)]
        # Members of a zip stay deflated: other bytes with the same content.
        assert [line for line in lines if not line.endswith("the same content")] == []


def test_a_nested_archive_is_opened(study: Study) -> None:
    outer = {"inner.tar.gz": packed(under("T1", T1.files()), Kind.TAR_GZ), "README": b"x"}
    study.put("S1", outer, Kind.ZIP)
    assert study.run().status == 0
    judge = Judge(study.session("S1")).check(outer)
    fates = {row["path"]: row["fate"] for row in judge.rows}
    assert fates["inner.tar.gz"] == "opened"
    assert {path for path, fate in fates.items() if fate == "sorted"} == {
        f"inner.tar.gz!T1/IM{k:04}" for k in (1, 2, 3)
    }


def test_a_par_rec_pair_becomes_images(study: Study) -> None:
    pair = ParRec(acquisition=7, volumes=2).files("scans/epi")
    study.put("S1", pair)
    assert study.run().status == 0
    judge = Judge(study.session("S1")).check(pair)
    assert list(judge.text.images) == [7011]
    assert judge.image(7011).shape == (6, 8, 3, 2)


def test_a_second_run_does_nothing_and_says_so(study: Study) -> None:
    study.put("S1", TREE)
    assert study.run().status == 0
    before = snapshot(study.sessions)
    again = study.run()
    assert again.status == 66
    assert "nothing" in again.text.lower()
    assert study.run("--check=no").status == 0
    assert snapshot(study.sessions) == before


def test_a_damaged_packet_does_not_affect_the_others(study: Study) -> None:
    study.put("S1", TREE)
    damaged = study.put_bytes("S2.zip", packed(TREE, Kind.ZIP)[:-3000])
    study.put("S3", under("other", MrSeries(patient="P003").files()), Kind.TAR)
    before = damaged.read_bytes()
    run = study.run()
    assert run.status == 1
    assert "S2.zip" in run.text
    assert study.session_names() == ["S1", "S3"]
    Judge(study.session("S1")).check(TREE)
    assert damaged.read_bytes() == before
    again = study.run()
    assert again.status == 1, "the damaged packet is ready again, and refused again"
    assert study.session_names() == ["S1", "S3"]


def test_several_patients_are_refused_by_name(study: Study) -> None:
    tree = {**under("a", T1.files()), **under("b", T1.with_(patient="P777").files())}
    packet = study.put("S1", tree)
    before = snapshot(study.sessions)
    run = study.run()
    assert run.status == 1
    assert "P001" in run.text
    assert "P777" in run.text
    assert snapshot(study.sessions) == before
    assert study.run("--on-mixed=merge").status == 0
    Judge(study.session("S1")).check(tree)
    assert not packet.exists()


ESCAPED = [
    pytest.param({"ManufacturerModelName": "Pr\x1b[31misma"}, "Pr\x1b[31misma", id="a code of a terminal"),
    pytest.param(
        {"SpecificCharacterSet": "\\ISO 2022 IR 87", "SeriesDescription": "頭部 T1"},
        "\x1b$BF,It\x1b(B T1",
        id="ISO 2022",
    ),
]


@pytest.mark.parametrize(("changes", "text"), ESCAPED)
def test_a_control_character_in_a_header_makes_no_broken_sidecar_and_no_log_that_controls_a_terminal(
    study: Study, changes: dict[str, object], text: str
) -> None:
    study.put("S1", MrSeries(changes=changes).files())
    run = study.run("--archive=leave", "--add-json-info=TR")
    assert run.status == 0, run.text
    session = study.session("S1")
    assert text in json.loads((session / "nii" / "31.json").read_text()).values()
    assert json.loads((session / "qxbatch" / "summary.json").read_text())["problems"] == []
    assert (session / "session.txt").read_text().endswith(": TR(2)\n")
    assert "\x1b" not in (session / "dicom" / "dcm2niix_30.log").read_text()
