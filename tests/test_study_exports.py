"""A record of BIDS exports that cannot be read is named, is not replaced, and does not count as empty."""

import json
import threading
from pathlib import Path

import pytest

from qxbatch.problems import UsageError
from qxbatch.study import exports
from qxbatch.study.exports import DataSet, record_data_set, recorded_data_sets
from tests.build.dicom import MrSeries
from tests.build.study import Study
from tests.faults.unprivileged import unprivileged


def record_of(sessions: Path) -> Path:
    path = sessions / ".qxbatch" / "bids.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'{"schema": 1, "datasets": [', id="cut short"),
        pytest.param(b"\xff\xfe", id="not text"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"[" * 100_000, id="nested too deep"),
        pytest.param(b'{"schema": 99, "datasets": []}', id="of a newer version"),
        pytest.param(b'{"schema": 1, "datasets": [{"path": 3}]}', id="a path that is no text"),
    ],
)
def test_an_invalid_record_is_named_and_not_replaced(tmp_path: Path, content: bytes) -> None:
    record = record_of(tmp_path)
    record.write_bytes(content)
    for call in (recorded_data_sets, lambda folder: record_data_set(folder, DataSet(tmp_path, tmp_path, {}))):
        with pytest.raises(UsageError, match="rm -- ") as raised:
            call(tmp_path)
        assert f"The record of BIDS exports {record} cannot be read" in raised.value.message
    assert record.read_bytes() == content


def test_two_exports_that_end_at_once_are_both_in_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record_of(tmp_path)
    data_sets = [DataSet(tmp_path / name, tmp_path, {}) for name in "ab"]
    for data_set in data_sets:
        data_set.path.mkdir()
    other = threading.Thread(target=record_data_set, args=(tmp_path, data_sets[1]))

    def read_slowly(folder: Path) -> list[DataSet]:
        before = recorded_data_sets(folder)
        if not other.ident:
            other.start()
            other.join(0.5)
        return before

    monkeypatch.setattr(exports, "recorded_data_sets", read_slowly)
    assert record_data_set(tmp_path, data_sets[0])
    other.join()
    assert recorded_data_sets(tmp_path) == data_sets


def test_a_missing_record_is_empty(tmp_path: Path) -> None:
    assert recorded_data_sets(tmp_path) == []


def test_an_import_does_not_refresh_the_study_page_without_a_record_that_exists(study: Study) -> None:
    study.put("S1", MrSeries().files())
    record = record_of(study.sessions)
    record.write_text(json.dumps({"schema": 1, "datasets": []}))
    record.chmod(0)
    reason = f"The record of BIDS exports {record} cannot be read: permission denied"
    run = unprivileged(str(study.sessions), "--check=no")
    assert run.status == 0, run.text
    assert f"The study page was not refreshed: {reason}" in run.err
    assert not (study.sessions / "study.json").exists()
    run = unprivileged("report", str(study.sessions))
    assert run.status == 73, run.text
    assert reason in run.err
    record.chmod(0o600)
    assert unprivileged(str(study.sessions), "--check=no").status == 0
    assert (study.sessions / "study.json").is_file()
