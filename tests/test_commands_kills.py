"""`qxbatch sort` and `convert` killed while they change a session: the next run ends as if no kill had happened."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from qxbatch.cli.main import main
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, packed, under, write_folder
from tests.build.study import TIME_LIMIT, Study, snapshot
from tests.faults.contents import hashes_below
from tests.faults.stage import GENERATED
from tests.faults.victim import BELOW

T1 = MrSeries(number=3, description="T1w")
BOLD = MrSeries(number=4, description="BOLD", volumes=2, time="102000")
VOLATILE = ("session.txt", "qxbatch/summary.json", "qxbatch/report.html", "qxbatch/sorted.sha256")


def to_convert(study: Study) -> Path:
    """Return a session that another program sorted and converted."""
    session = study.session("S1")
    write_folder(
        {"30.tar.gz": packed(under("30", T1.files()), Kind.TAR_GZ), **under("40", BOLD.files())}, session / "dicom"
    )
    write_folder({"session.txt": b"id: S1\nsubject: S1\n", "nii/31.nii.gz": b"old", "hcp/x": b"later"}, session)
    return session


def to_sort(study: Study) -> Path:
    """Return a session whose inbox contains loose files, an archive and a note."""
    session = study.session("S1")
    tree = {**under("a", T1.files()), "b.zip": packed(BOLD.files(), Kind.ZIP), "a/notes": b"words"}
    write_folder(tree, session / "inbox")
    return session


def run_victim(fault: str, out: Path, study: Study, *words: object) -> int:
    """Run a command with a fault and return its status; the fault `count` only writes the steps to `out`."""
    command = [sys.executable, "-m", "tests.faults.victim", fault, str(out), *map(str, words)]
    env = {**os.environ, BELOW: str(study.sessions.parent)}
    run = subprocess.run(command, env=env, check=False, capture_output=True, timeout=TIME_LIMIT)
    print(run.stdout.decode(), run.stderr.decode())  # shown if the test fails
    return run.returncode


def comparable(study: Study) -> dict[str, str]:
    """Return the hashes of the tree without files that contain times and without the folder of replaced files."""
    tree = snapshot(study.sessions)
    return {k: v for k, v in tree.items() if not k.endswith((*VOLATILE, ".log")) and "replaced" not in k}


@pytest.mark.parametrize(
    ("command", "fill"),
    [("convert", to_convert), ("sort", to_sort)],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_killed_command_can_be_run_again(command: str, fill: Callable[[Study], Path], tmp_path: Path) -> None:
    reference = Study(tmp_path / "reference")
    out = tmp_path / "steps"
    assert run_victim("count", out, reference, command, fill(reference), "--overwrite") == 0
    steps = [k for k, step in enumerate(out.read_text().splitlines(), start=1) if step.startswith("os.re")]
    for step in sorted({steps[0], steps[len(steps) // 2], steps[-5], steps[-2]}):
        study = Study(tmp_path / f"killed{step}")
        session = fill(study)
        inputs = hashes_below(study.sessions, skip=GENERATED)
        assert run_victim(f"KILL@{step}", out, study, command, session, "--overwrite") < 0
        assert inputs <= hashes_below(study.sessions), f"lost when killed at step {step}"
        assert main([command, str(session), "--overwrite", "--check=no"]) == 0
        assert inputs <= hashes_below(study.sessions), f"lost by the run after a kill at step {step}"
        assert comparable(study) == comparable(reference), f"killed at step {step}"
        assert main(["verify", str(session)]) == 0
