"""Bytes before or after an archive are skipped, and the summary of the session notes them."""

import gzip
import json
from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import tarred, under, zipped
from tests.build.sevenz import sevenz
from tests.build.study import Study

TREE = under("T1", MrSeries(number=3, description="T1w").files())
PACKETS = {
    "zip": ("S1.zip", zipped(TREE) + b"tail", "4 bytes follow the archive"),
    "7z": ("S1.7z", sevenz(TREE) + b"tail", "4 bytes follow the archive"),
    "tar": ("S1.tar", tarred(TREE) + b"x" * 700, "700 bytes follow the end mark of the tar"),
    "tar.gz": (
        "S1.tar.gz",
        gzip.compress(tarred(TREE), mtime=0) + b"garbage",
        "7 bytes follow the compressed data",
    ),
}
EACH = pytest.mark.parametrize("kind", PACKETS)


def notes(session: Path) -> list[dict[str, str]]:
    summary = json.loads((session / "qxbatch" / "summary.json").read_text(encoding="utf-8"))
    return [problem for problem in summary["problems"] if problem["code"] == "surrounded"]


@EACH
def test_a_packet_with_trailing_bytes_gets_a_note(study: Study, kind: str) -> None:
    name, data, text = PACKETS[kind]
    study.put_bytes(name, data)
    run = study.run()
    assert run.status == 0, run.text
    [note] = notes(study.session("S1"))
    assert note["severity"] == "info"
    assert text in note["message"]


@EACH
def test_an_archive_with_trailing_bytes_in_the_inbox_of_a_session_gets_a_note(study: Study, kind: str) -> None:
    name, data, text = PACKETS[kind]
    inbox = study.session("S1") / "inbox"
    inbox.mkdir(parents=True)
    (inbox / name).write_bytes(data)
    run = study.main("--masterinbox=none", "--sessions=S*")
    assert run.status == 0, run.text
    [note] = notes(study.session("S1"))
    assert note["severity"] == "info"
    assert text in note["message"]


def test_a_packet_without_trailing_bytes_gets_no_note(study: Study) -> None:
    study.put_bytes("S1.zip", zipped(TREE))
    assert study.run().status == 0
    assert notes(study.session("S1")) == []
