"""Many packets: a submission to a real Slurm whose tasks write state files but import nothing."""

import contextlib
import io
import os
import shlex
import sys
import time
from pathlib import Path
from unittest.mock import patch

from tests.build.study import Study, run_command
from tests.cluster.slurm import Slurm
from tests.cluster.submitted import packet

REPOSITORY = Path(__file__).resolve().parents[2]


def simulate(folder: Path, slurm: Slurm, packets: int) -> dict[str, float]:
    """Submit a number of packets; return the seconds of each step, and the number of tasks as `tasks`."""
    from qxbatch.cli.main import main
    from qxbatch.cluster.submit import RoundSubmitter

    study = Study(folder)
    data = packet(1)
    for k in range(packets):
        study.put_bytes(f"S{k:07}.zip", data)
    path = f"{REPOSITORY}:{os.environ.get('PYTHONPATH', '')}"

    def stand_in(submitter: RoundSubmitter, task: str) -> str:
        words = [sys.executable, "-m", "tests.cluster.stand_in", str(study.sessions), submitter.submission.id]
        return f"env PYTHONPATH={shlex.quote(path)} {shlex.join(words)} {submitter.round_number}/{task}"

    seconds: dict[str, float] = {}
    with patch.dict(os.environ, slurm.env), patch.object(RoundSubmitter, "_host_command", stand_in):
        began = time.monotonic()
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            status = main([str(study.sessions), "--scheduler=SLURM,mem=300M"])
        seconds["submit"] = time.monotonic() - began
    assert status == 0, printed.getvalue()
    seconds["tasks"] = float(printed.getvalue().partition("sessions in ")[2].split()[0])
    seconds["jobs, while they wait or run"] = _jobs(study, slurm, packets, "waiting")
    began = time.monotonic()
    slurm.wait_for_jobs(1200)
    seconds["all tasks"] = time.monotonic() - began
    seconds["jobs, when all are done"] = _jobs(study, slurm, packets, "done")
    return seconds


def _jobs(study: Study, slurm: Slurm, packets: int, state: str) -> float:
    began = time.monotonic()
    run = run_command("jobs", str(study.sessions), env=slurm.env)
    seconds = time.monotonic() - began
    assert run.status == 0, run.text
    assert f"{packets} packets: " in run.out, run.out
    assert state in run.out, run.out
    return seconds
