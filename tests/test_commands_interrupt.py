"""Signals while `inspect`, `scan` and `split` read a packet, and `verify` a session: they end soon, and leave nothing."""

import contextlib
import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from tests.build.bids import Scan
from tests.build.bids_study import BidsStudy
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


@pytest.mark.parametrize("name", ["notes.txt", "*.tar.gz"])
def test_a_signal_ends_verify_while_it_reads_a_large_file(study: Study, name: str) -> None:
    study.put("S1", {**MrSeries(slices=1).files(), "notes.txt": b"notes"})
    assert study.main("--check=no").status == 0
    (large,) = study.session("S1").rglob(name)
    os.truncate(large, 1 << 40)  # zeros of a sparse file: minutes to read
    _stop_while_it_reads(large, "verify", str(study.session("S1")))


def test_a_signal_ends_an_export_while_it_reads_a_large_file(tmp_path: Path) -> None:
    study = BidsStudy(tmp_path)
    study.add("S1", Scan(2, "t1"))
    (image,) = (study.sessions / "S1" / "nii").glob("*.nii.gz")
    with image.open("r+b") as file:
        file.truncate(1 << 40)  # zeros of a sparse file: minutes to read
    _stop_while_it_reads(image, *study.words)


def _stop_while_it_reads(path: Path, *words: str) -> None:
    """Run a command, send it a signal once it has the file open, and check that it ends as interrupted."""
    process = subprocess.Popen([sys.executable, "-m", "qxbatch", *words])
    try:
        while not _has_open(process.pid, path) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 130
    finally:
        process.kill()


def _has_open(pid: int, path: Path) -> bool:
    """Return whether a process has a file open."""
    names = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            names.append(descriptor.readlink())
    return path.resolve() in names
