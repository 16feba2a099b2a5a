"""The SHA-256 of a packet's file in the summary of its session."""

import hashlib
import json
from pathlib import Path

import pytest

from qxbatch.pipeline import hashing
from qxbatch.session.layout import SUMMARY
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under, write_folder, zipped
from tests.build.study import Study

TREE = under("T1", MrSeries(number=3).files())


def packets(study: Study, session: str = "S1") -> dict[str, str]:
    """Return the hashes of packets by name, as in the summary."""
    entries = json.loads((study.session(session) / "qxbatch" / SUMMARY).read_text())["packets"]
    return {each["name"]: each["sha256"] for each in entries}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("archive", ["move", "copy", "leave", "delete"])
@pytest.mark.parametrize("kind", [Kind.ZIP, Kind.TAR, Kind.TAR_GZ], ids=["zip", "tar", "tar.gz"])
def test_a_packet_that_is_a_file_has_its_hash(study: Study, kind: Kind, archive: str) -> None:
    path = study.put("S1", TREE, kind)
    data = path.read_bytes()
    assert study.main(f"--archive={archive}").status == 0
    assert packets(study) == {path.name: sha256(data)}


def test_a_single_image_has_its_hash(study: Study) -> None:
    data = TREE["T1/IM0001"]
    study.put_bytes("S1.dcm", data)
    assert study.main().status == 0
    [session] = study.session_names()
    assert packets(study, session) == {"S1.dcm": sha256(data)}


def test_a_folder_has_no_hash(study: Study) -> None:
    study.put("S1", TREE, Kind.FOLDER)
    assert study.main().status == 0
    assert packets(study) == {"S1": ""}


def test_each_packet_of_a_session_has_its_hash(study: Study) -> None:
    first = study.put("S1", TREE, Kind.ZIP).read_bytes()
    other = study.put("S1", under("T2", MrSeries(number=5).files()), Kind.TAR).read_bytes()
    assert study.main("--on-same-session=merge").status == 0
    assert packets(study) == {"S1.zip": sha256(first), "S1.tar": sha256(other)}


def test_an_archive_at_the_top_of_a_session_inbox_has_its_hash(study: Study) -> None:
    data = zipped(TREE)
    write_folder(
        {"a/x": b"x", "p.zip": data, "more/q.zip": zipped(under("T2", MrSeries(number=5).files()))},
        study.session("S1") / "inbox",
    )
    assert study.main("--masterinbox=none", "--sessions=*").status == 0
    assert packets(study) == {"p.zip": sha256(data)}


def test_a_session_of_an_earlier_version_lists_its_packet_once(study: Study) -> None:
    data = zipped(TREE)
    write_folder({"p.zip": data}, study.session("S1") / "inbox")
    run = ("--masterinbox=none", "--sessions=*", "--archive=copy")
    assert study.main(*run).status == 0
    path = study.session("S1") / "qxbatch" / SUMMARY
    summary = json.loads(path.read_text())
    del summary["packets"][0]["sha256"]
    path.write_text(json.dumps(summary))
    assert study.main(*run, "--overwrite=yes").status == 0
    assert packets(study) == {"p.zip": sha256(data)}
    assert len(json.loads(path.read_text())["packets"]) == 1


def test_a_packet_that_changes_after_it_was_read_has_no_hash_and_stays_in_the_inbox(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = study.put("S1", TREE, Kind.ZIP)

    def changing(name: str, **_: object) -> tuple[int, str]:
        Path(name).write_bytes(b"another")
        return 7, sha256(b"another")

    monkeypatch.setattr(hashing, "hash_file", changing)
    run = study.main()
    assert run.status == 1
    assert "changed" in run.text
    assert packets(study) == {"S1.zip": ""}
    assert path.read_bytes() == b"another"
