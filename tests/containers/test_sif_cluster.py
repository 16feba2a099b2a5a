"""The SIF in jobs of a real Slurm: the result equals that of a run without a container."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.build.study import Study
from tests.cluster.slurm import missing, running
from tests.cluster.submitted import SPEC, Submitted
from tests.containers.container import Sif

COMPARE = Path(__file__).resolve().parents[2] / "scripts" / "compare-trees"


def test_jobs_run_in_the_sif(sif: Sif, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    why = missing()
    if why:
        pytest.skip(f"Slurm cannot run here: {why}")
    programs = tmp_path / "bin"
    programs.mkdir()
    # With a user namespace, an Apptainer of root needs no setuid starter.
    userns = "export APPTAINER_USERNS=1\n" if os.geteuid() == 0 else ""
    (programs / "apptainer").write_text(f'#!/bin/sh\n{userns}exec {sif.apptainer} "$@"\n')
    (programs / "apptainer").chmod(0o755)
    with tempfile.TemporaryDirectory(prefix="qx-slurm-") as folder, running(Path(folder)) as slurm:
        submitted = Submitted(Study(tmp_path / "jobs"), slurm, {"PATH": f"{programs}:{os.environ['PATH']}:/usr/sbin"})
        submitted.put(2, bad=1)
        run = submitted.submit(f"--container={sif.path}", "--wait", spec=SPEC)
        assert run.status == 1, run.text + submitted.logs()
        submitted.check()
        assert (submitted.study.sessions / "study.tsv").exists()
    here = Study(tmp_path_factory.mktemp("here"))
    for name in ("S001", "S002"):
        here.put_bytes(f"{name}.zip", (submitted.study.archive / f"{name}.zip").read_bytes())
    assert here.run().status == 0
    for name in ("S001", "S002"):
        words = [sys.executable, str(COMPARE), "--moved", str(submitted.study.session(name)), str(here.session(name))]
        compared = subprocess.run(words, capture_output=True, text=True, check=False)
        assert (compared.stdout, compared.returncode) == ("", 0)
