"""Compares the CPU time of jobs with that of an import without a scheduler; other load affects CPU time little."""

import os
import resource
import subprocess
import sys
from functools import cache
from pathlib import Path

from tests.build.dicom import MrSeries
from tests.build.packets import under, zipped
from tests.build.study import Study

PACKETS = 100
ROUNDS = 2


def overhead(folder: Path) -> dict[str, str]:
    """Return the CPU seconds with and without jobs, each the minimum of ROUNDS rounds, and their difference."""
    minimum: dict[str, float] = {}
    for k in range(ROUNDS):
        for name in ("without a scheduler", "by jobs"):
            seconds = _seconds(folder / f"{name}-{k}", as_task=name == "by jobs")
            minimum[name] = min(minimum.get(name, seconds), seconds)
    direct, jobs = minimum["without a scheduler"], minimum["by jobs"]
    percent = (jobs - direct) / direct * 100
    return {
        "packets": f"{PACKETS}, of {len(packet_of_three_series()) / 1e6:.1f} MB",
        **{name: f"{seconds:.2f} s of CPU" for name, seconds in minimum.items()},
        "overhead": f"{jobs - direct:.2f} s in total, {(jobs - direct) / PACKETS * 1000:.1f} ms for each packet, {percent:.1f} %",
    }


@cache
def packet_of_three_series() -> bytes:
    """Return a zip of three series of one patient."""
    series = [MrSeries(number=n, patient="P0", slices=40, rows=128, columns=128, volumes=2) for n in (1, 2, 3)]
    return zipped({name: data for each in series for name, data in under(f"{each.number}", each.files()).items()})


def _seconds(folder: Path, *, as_task: bool) -> float:
    study = Study(folder)
    for k in range(PACKETS):
        study.put_bytes(f"S{k:03}.zip", packet_of_three_series())
    words = [str(study.sessions), "--n-procs=1"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    if as_task:
        _submit_and_work(study, folder / "bin", words)
    else:
        _call(words, {})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert len(study.session_names()) == PACKETS
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _submit_and_work(study: Study, programs: Path, words: list[str]) -> None:
    """Submit to a stub of sbatch, then run the commands of the jobs: the task and the dependent job."""
    programs.mkdir()
    (programs / "sbatch").write_text("#!/bin/sh\necho 1\n")
    (programs / "sbatch").chmod(0o755)
    _call([*words, "--scheduler=SLURM,minutes=60"], {"PATH": f"{programs}:{os.environ['PATH']}"})
    submission = next((study.sessions / ".qxbatch" / "jobs").iterdir()).name
    for task in ("1/0", "1/end"):
        _call(["worker", str(study.sessions), f"--submission={submission}", f"--task={task}"], {})


def _call(words: list[str], env: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "-m", "qxbatch", *words], check=True, env={**os.environ, **env}, capture_output=True
    )
