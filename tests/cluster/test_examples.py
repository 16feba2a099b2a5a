"""The examples of docs/examples: other engines that drive `qxbatch worker`, where they are installed."""

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
    """Return an environment whose `qxbatch` is this one."""
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
    """Return a study with two packets, one that is damaged, and a stray file."""
    for name in ("S1", "S 2", "S3"):
        study.put(name, MrSeries(patient=f"P {name}").files())
    broken = study.inbox / "S3.zip"
    broken.write_bytes(broken.read_bytes()[:-300])
    study.put_bytes("notes.txt", b"notes")
    return study


def need(name: str) -> str:
    """Return the program, or skip."""
    program = shutil.which(os.environ.get(f"QXBATCH_{name.upper()}") or name)
    if program is None:
        pytest.skip(f"no {name} here: QXBATCH_{name.upper()} names one")
    return program


def call(words: list[str], env: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, env=env, cwd=cwd, capture_output=True, text=True, check=False, timeout=300)


def check(study: Study) -> None:
    assert study.session_names() == ["S 2", "S1"]
    assert sorted(path.name for path in study.inbox.iterdir()) == ["S3.zip", "notes.txt"]
    assert sorted(path.name for path in study.archive.iterdir()) == ["S 2.zip", "S1.zip"]


def test_gnu_parallel(filled: Study, env: dict[str, str], tmp_path: Path) -> None:
    need("parallel")
    words = [str(EXAMPLES / "parallel.sh"), str(filled.sessions), "--archive=move"]
    for _ in range(2):
        done = call(words, env, tmp_path)
        assert done.returncode == 1, done.stdout + done.stderr
        check(filled)
    assert "S3.zip: is damaged" in done.stdout
    assert (filled.sessions / "study.tsv").read_text().count("\n") == 3


def test_snakemake(filled: Study, env: dict[str, str], tmp_path: Path) -> None:
    program = need("snakemake")
    words = [program, "--snakefile", str(EXAMPLES / "Snakefile"), "--cores", "2", "--keep-going"]
    words += ["--config", f"sessions={filled.sessions}"]
    done = call(words, env, tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    check(filled)
    assert sorted(path.name for path in (tmp_path / "imported").iterdir()) == ["S 2.zip", "S1.zip", "notes.txt"]
    (filled.inbox / "S3.zip").unlink()
    done = call(words, env, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (filled.sessions / "study.tsv").read_text().count("\n") == 3


def test_nextflow(filled: Study, env: dict[str, str], tmp_path: Path) -> None:
    program = need("nextflow")
    done = call([program, "run", str(EXAMPLES / "main.nf"), "--sessions", str(filled.sessions)], env, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    check(filled)


def test_hyperqueue(filled: Study, env: dict[str, str], tmp_path: Path) -> None:
    program = need("hq")
    server = subprocess.Popen([program, "server", "start"], env=env)
    worker = subprocess.Popen([program, "worker", "start"], env=env)
    try:
        done = call([str(EXAMPLES / "hyperqueue.sh"), str(filled.sessions)], env, tmp_path)
        assert done.returncode == 1, done.stdout + done.stderr
        check(filled)
    finally:
        for each in (worker, server):
            each.terminate()
            each.wait()
