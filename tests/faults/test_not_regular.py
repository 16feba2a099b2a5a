"""FIFOs and devices in place of a file of a session, and a forged ledger: every command ends."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.study import Study, run_command

BOUND = 60
"""Seconds after which `run_command` gives up; a reader of a FIFO would wait forever."""


@pytest.fixture
def session(study: Study, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished session S1."""
    monkeypatch.setattr("tests.build.study.TIME_LIMIT", BOUND)
    study.put("S1", MrSeries().files())
    assert study.run("--archive=leave").status == 0
    return study.session("S1")


def fifo(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


@pytest.mark.parametrize(
    "name", ["nii/31.json", "nii/31.nii.gz", "dicom/30.tar.gz", "qxbatch/ledger.tsv", "qxbatch/summary.json"]
)
@pytest.mark.parametrize(
    "make", [fifo, lambda path: (path.unlink(), path.symlink_to("/dev/zero"))], ids=["FIFO", "device"]
)
def test_verify_names_what_is_no_file(session: Path, name: str, make: Callable[[Path], object]) -> None:
    make(session / name)
    run = run_command("verify", str(session))
    assert run.status == 1, run.text
    assert name in run.text
    assert "Traceback" not in run.text


@pytest.mark.parametrize("words", [["report"], ["convert", "--overwrite"]], ids=["report", "convert"])
@pytest.mark.parametrize("name", ["session.txt", "qxbatch/summary.json", "dicom/30.tar.gz"])
def test_other_commands_end(session: Path, words: list[str], name: str) -> None:
    fifo(session / name)
    run = run_command(*words, str(session))
    assert "Traceback" not in run.text
    assert "internal" not in run.text


@pytest.mark.parametrize("at", ["inbox/../../../../../../../../dev/zero", "/dev/zero", "inbox//x"])
def test_a_ledger_does_not_lead_verify_out_of_its_session(session: Path, at: str) -> None:
    ledger = session / "qxbatch" / "ledger.tsv"
    head, first, *_ = ledger.read_text().splitlines()
    cells = first.split("\t")
    cells[5], cells[6] = "kept", at
    ledger.write_text("\n".join((head, "\t".join(cells), "")))
    run = run_command("verify", str(session))
    assert run.status == 1, run.text
    assert "is not below the session" in run.text


def test_a_summary_that_is_too_large_is_not_read(session: Path) -> None:
    os.truncate(session / "qxbatch" / "summary.json", (1 << 26) + 1)
    run = run_command("verify", str(session))
    assert run.status == 1, run.text
    assert "summary.json: has more than 67108864 bytes" in run.text.replace("\n    ", " ")
