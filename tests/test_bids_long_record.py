"""The record of a data set with very many files, or with long texts in tables."""

from pathlib import Path

import pytest

from qxbatch.bids.files import record
from qxbatch.bids.files.record import JOURNAL, RECORD
from tests.build.bids_study import BidsStudy


@pytest.mark.parametrize("file", [RECORD, JOURNAL])
def test_a_record_of_more_than_64_mib_is_read(tmp_path: Path, file: str) -> None:
    study = BidsStudy(tmp_path)
    study.add("S1")
    assert study.run().status == 0
    text = (study.bids / RECORD).read_bytes()
    with (study.bids / file).open("wb") as long:
        long.write(b" " * (65 << 20) + text)
    run = study.run()
    assert run.status == 0, run.text
    assert "0 added, 11 unchanged" in " ".join(run.out.split())


def test_a_record_that_could_not_be_read_again_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = BidsStudy(tmp_path)
    study.add("S1")
    assert study.run().status == 0
    before = study.tree()
    study.add("S2")
    monkeypatch.setattr(record, "MAX_BYTES", len(before[RECORD]) + 100)
    run = study.run()
    assert run.status == 64
    assert "export.json would have more than" in " ".join(run.text.split())
    assert study.tree() == before
    (study.bids / RECORD).write_bytes(before[RECORD] + b" " * 101)
    run = study.run()
    assert run.status == 64
    assert "cannot be read: it has more than" in " ".join(run.text.split())
