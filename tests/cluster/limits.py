"""Measures what grows with the number of packets: inodes, metadata calls, the files of the study level."""

import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

from tests.build.study import Study, run_command
from tests.cluster.overhead import packet_of_three_series

METADATA = "trace=%file,fsync,fdatasync"
"""System calls with a path, and those that wait for the disk."""


def limits(folder: Path, sessions: int) -> dict[str, str]:
    """Return the figures for a study of `sessions` sessions."""
    figures: dict[str, str] = {}
    if shutil.which("strace") is None:
        figures["metadata calls"] = "not measured: strace is not installed"
    else:
        for name, own_disk in (("small files next to the session", False), ("small files on a disk of the node", True)):
            few, many = (_calls(folder / f"{name}-{count}", count, own_disk=own_disk) for count in (2, 6))
            figures[f"metadata calls below the sessions folder for a packet of 240 files, {name}"] = (
                f"{(many - few) / 4:.0f}"
            )
    study = Study(folder / "one")
    study.put_bytes("S0.zip", packet_of_three_series())
    assert study.run().status == 0
    inodes = sum(1 for _ in study.session("S0").rglob("*")) + 1
    figures["inodes of a session of 3 series"] = str(inodes)
    figures |= _study_level(study, sessions)
    return figures


def _calls(folder: Path, packets: int, *, own_disk: bool) -> int:
    """Return the number of calls of METADATA of a task with this number of packets: those below the sessions folder, and syncs."""
    study = Study(folder)
    for k in range(packets):
        study.put_bytes(f"S{k}.zip", packet_of_three_series())
    programs = folder / "bin"
    programs.mkdir()
    (programs / "sbatch").write_text("#!/bin/sh\necho 1\n")
    (programs / "sbatch").chmod(0o755)
    env = {"PATH": f"{programs}:{os.environ['PATH']}"}
    assert study.run("--scheduler=SLURM,minutes=60", "--n-procs=1", env=env).status == 0
    submission = next((study.sessions / ".qxbatch" / "jobs").iterdir()).name
    trace = folder / "trace"
    words = ["strace", "-f", "-e", METADATA, "-o", str(trace), sys.executable, "-m", "qxbatch", "worker"]
    words += [str(study.sessions), f"--submission={submission}", "--task=1/0"]
    scratch = folder / "scratch"
    scratch.mkdir()
    variables = {"TMPDIR": str(scratch)} if own_disk else {"TMPDIR": ""}
    subprocess.run(words, check=True, capture_output=True, timeout=600, env={**os.environ, **variables})
    shared = re.compile(re.escape(os.fspath(study.sessions)).encode() + rb"|sync\(")
    return sum(1 for line in trace.read_bytes().splitlines() if shared.search(line))


def _study_level(study: Study, sessions: int) -> dict[str, str]:
    """Return the cost of the study level: when all sessions are read for the first time, and when none is read again."""
    source = study.session("S0")
    for k in range(1, sessions):
        target = study.session(f"S{k}")
        (target / "qxbatch").mkdir(parents=True)
        shutil.copy(source / "session.txt", target)
        text = (source / "qxbatch" / "summary.json").read_text().replace('"id": "S0"', f'"id": "S{k}"')
        (target / "qxbatch" / "summary.json").write_text(text)
    figures = {}
    for name in ("for the first time", "again"):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run = run_command(str(study.inbox), str(study.sessions), "group", "--quiet")
        assert run.status == 0, run.text
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        figures[f"study level of {sessions} sessions, {name}"] = f"{seconds:.1f} s of CPU"
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    sizes = ", ".join(
        f"{name} {(study.sessions / name).stat().st_size / 1e6:.1f} MB"
        for name in ("report.html", "study.json", "study.tsv")
    )
    return {**figures, "its files": sizes, "its memory": f"{peak:.0f} MB"}
