"""The fallback reader: pydicom in a separate process that may hang, crash or run out of memory."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from qxbatch.core import CancelledError, ingest
from qxbatch.ingest import fallback
from qxbatch.ingest.fallback import read_unparsed_dicom
from qxbatch.ingest.second_reader import read_header
from tests.build.dicom import MrSeries
from tests.build.packets import Kind
from tests.build.study import Study

FILES = MrSeries().files()


def endless_header(data: bytes, zeros: int) -> bytes:
    """Return a file with a private element of undefined length, followed by zeros: pydicom creates an object for every 8 bytes."""
    at = data.index(b"\x08\x00\x16\x00UI")
    return data[:at] + b"\x09\x00\x10\x10UN\0\0\xff\xff\xff\xff" + bytes(zeros) + os.urandom(1000)


def not_cancelled() -> bool:
    return False


def reading_of(tmp_path: Path, change: Callable[[bytes], bytes]) -> object:
    """Return what the core reads from a packet of changed files."""
    folder = tmp_path / "packet"
    folder.mkdir()
    for name, data in FILES.items():
        (folder / name).write_bytes(change(data))
    return ingest([(str(folder), "")], str(tmp_path / "staging"))


def test_a_file_that_makes_the_reader_slow_times_out(study: Study) -> None:
    study.put("S1", {**FILES, "bomb.dcm": endless_header(FILES["IM0001"], 200 << 20)}, Kind.FOLDER)
    began = time.monotonic()
    run = study.run()
    assert run.status == 0, run.text
    assert "1 DICOM file that cannot be sorted (bomb.dcm)" in run.text
    assert time.monotonic() - began < 6 * fallback.FILE_SECONDS


def test_a_crashed_reader_restarts_for_the_next_file_until_the_limit_of_failures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = reading_of(tmp_path, lambda data: endless_header(data, 1000))
    if not reading.unparsed_dicom():  # type: ignore[attr-defined]
        pytest.fail("the core reads the files without the fallback reader")
    starts = tmp_path / "starts"
    program = tmp_path / "reader"
    program.write_text(f"#!/bin/sh\necho x >> {starts}\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(fallback, "MOST_FAILURES", 2)
    assert read_unparsed_dicom(reading, "S1", not_cancelled) == []  # type: ignore[arg-type]
    assert starts.read_text() == "x\nx\n"


def test_a_cancelled_run_does_not_wait_for_the_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = reading_of(tmp_path, lambda data: endless_header(data, 1000))
    program = tmp_path / "reader"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    with pytest.raises(CancelledError):
        read_unparsed_dicom(reading, "S1", lambda: True)  # type: ignore[arg-type]


def test_the_second_reader_returns_names_and_lists_as_they_are_in_the_header(tmp_path: Path) -> None:
    path = tmp_path / "IM0001"
    path.write_bytes(MrSeries(name="Doe^Jane", changes={"OtherPatientNames": ["A^B", "C^D"]}).files()["IM0001"])
    header = read_header(str(path))
    assert header is not None
    assert (header["PatientName"], header["OtherPatientNames"]) == ("Doe^Jane", "A^B\\C^D")
