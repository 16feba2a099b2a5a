"""Signals while `inspect`, `scan` and `split` read a packet, and `verify` a session: they end soon, and leave nothing."""

import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.study import Study


@pytest.fixture
def packet(tmp_path: Path) -> Path:
    """Return a tar with a member that takes seconds to read."""
    packet = tmp_path / "p.tar"
    member = tarfile.TarInfo("long")
    member.size = 1 << 33  # zeros of a sparse file, which take no disk space
    with packet.open("wb") as file:
        file.write(member.tobuf())
        file.seek(member.size, os.SEEK_CUR)
        file.write(bytes(1024))
    return packet


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=str)
@pytest.mark.parametrize("command", ["inspect", "scan", "split"])
def test_a_signal_ends_the_command_and_removes_its_temporary_folder(
    command: str, number: int, packet: Path, tmp_path: Path
) -> None:
    work, output = tmp_path / "work", tmp_path / "out"
    work.mkdir()
    words = [sys.executable, "-m", "qxbatch", command, str(packet)]
    options = {"inspect": [f"--work-dir={work}"], "split": [f"--output={output}"]}.get(command, [])
    process = subprocess.Popen(
        [*words, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(work)},
    )
    folder = output if command == "split" else work
    while not (folder.is_dir() and any(folder.iterdir())) and process.poll() is None:
        time.sleep(0.001)
    before = os.times()
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert list(work.iterdir()) == []
    assert not output.exists()
    spent = os.times()
    assert spent.children_user + spent.children_system - before.children_user - before.children_system < 2, "it read on"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=str)
def test_a_signal_ends_the_reading_of_a_session(number: int, study: Study) -> None:
    study.put("S1", MrSeries().files())
    assert study.main("--gzip=no").status == 0
    file = next((study.session("S1") / "dicom").glob("*/*.dcm"))
    os.truncate(file, 1 << 36)  # a sparse file, which takes no disk space
    process = subprocess.Popen(
        [sys.executable, "-m", "qxbatch", "verify", str(study.session("S1"))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while _bytes_read(process.pid) < 1 << 28 and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err


def _bytes_read(pid: int) -> int:
    lines = Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["rchar"])
