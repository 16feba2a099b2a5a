"""Archived packets that a session was imported from are found by their names first: measuring a folder reads all of it."""

import shutil
from pathlib import Path

import pytest

from qxbatch.discover.fingerprint import fingerprint
from qxbatch.model import Fingerprint
from qxbatch.publish import archived_hashes
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under
from tests.build.study import Study


def test_only_archived_packets_with_a_name_of_the_session_are_measured_and_each_once(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.put("S1_2024_01", under("T1", MrSeries().files()), Kind.FOLDER)
    assert study.main("--sessions=S1_2024_01").status == 0
    for name in ("S1_2024_01_2", "S1_2024_01_3", "S2_2024_01", "S1_2024"):
        shutil.copytree(study.archive / "S1_2024_01", study.archive / name)
    (study.archive / "S1_2024_01_3" / "more").write_text("mine")
    measured: list[str] = []

    def measure(path: Path) -> Fingerprint:
        measured.append(path.name)
        return fingerprint(path)

    monkeypatch.setattr(archived_hashes, "fingerprint", measure)
    packets = [path.name for path in archived_hashes._archived_packets(study.session("S1_2024_01"), study.archive)]
    assert packets == ["S1_2024_01", "S1_2024_01_2"]
    assert measured == ["S1_2024_01", "S1_2024_01_2", "S1_2024_01_3"]
