"""The examples of docs/examples: other workflow engines that call `qxbatch worker`, if they are installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.study import Study

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Return an environment whose `qxbatch` is the one of this repository."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "qxbatch"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m qxbatch "$@"\n')
    program.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{folder}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path),
    }


@pytest.fixture
def filled(study: Study) -> Study:
    """Return a study with two good packets, a damaged one and a stray file."""
    for name in ("S1", "S 2", "S3"):
        study.put(name, MrSeries(patient=f"P {name}").files())
    broken = study.inbox / "S3.zip"
    broken.write_bytes(broken.read_bytes()[:-300])
    study.put_bytes("notes.txt", b"notes")
    return study


def require(name: str) -> str:
    """Return the path of a program; skip the test if it is not installed."""
    program = shutil.which(os.environ.get(f"QXBATCH_{name.upper()}") or name)
    if program is None:
        pytest.skip(f"{name} is not installed: set QXBATCH_{name.upper()} to its path")
    return program


def call(words: list[str], env: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, env=env, cwd=cwd, capture_output=True, text=True, check=False, timeout=300)


def check(study: Study) -> None:
    assert study.session_names() == ["S 2", "S1"]
    assert sorted(path.name for path in study.inbox.iterdir()) == ["S3.zip", "notes.txt"]
    assert sorted(path.name for path in study.archive.iterdir()) == ["S 2.zip", "S1.zip"]


def test_the_gnu_parallel_example_imports_every_packet_once(filled: Study, env: dict[str, str], tmp_path: Path) -> None:
    require("parallel")
    words = [str(EXAMPLES / "parallel.sh"), str(filled.sessions), "--archive=move"]
    for _ in range(2):
        process = call(words, env, tmp_path)
        assert process.returncode == 1, process.stdout + process.stderr
        check(filled)
    assert "S3.zip: is damaged" in process.stdout
    assert (filled.sessions / "study.tsv").read_text().count("\n") == 3


def test_the_snakemake_example_imports_every_packet_once(filled: Study, env: dict[str, str], tmp_path: Path) -> None:
    program = require("snakemake")
    words = [program, "--snakefile", str(EXAMPLES / "Snakefile"), "--cores", "2", "--keep-going"]
    words += ["--config", f"sessions={filled.sessions}"]
    process = call(words, env, tmp_path)
    assert process.returncode == 1, process.stdout + process.stderr
    check(filled)
    assert sorted(path.name for path in (tmp_path / "imported").iterdir()) == ["S 2.zip", "S1.zip", "notes.txt"]
    (filled.inbox / "S3.zip").unlink()
    process = call(words, env, tmp_path)
    assert process.returncode == 0, process.stdout + process.stderr
    assert (filled.sessions / "study.tsv").read_text().count("\n") == 3


def test_the_nextflow_example_imports_every_packet_once(filled: Study, env: dict[str, str], tmp_path: Path) -> None:
    program = require("nextflow")
    process = call([program, "run", str(EXAMPLES / "main.nf"), "--sessions", str(filled.sessions)], env, tmp_path)
    assert process.returncode == 0, process.stdout + process.stderr
    check(filled)


def test_the_hyperqueue_example_imports_every_packet_once(filled: Study, env: dict[str, str], tmp_path: Path) -> None:
    program = require("hq")
    server = subprocess.Popen([program, "server", "start"], env=env)
    worker = subprocess.Popen([program, "worker", "start"], env=env)
    try:
        process = call([str(EXAMPLES / "hyperqueue.sh"), str(filled.sessions)], env, tmp_path)
        assert process.returncode == 1, process.stdout + process.stderr
        check(filled)
    finally:
        for each in (worker, server):
            each.terminate()
            each.wait()
