"""A container that is stopped during an import, and the next run."""

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under, write_packet
from tests.build.study import snapshot
from tests.containers.conftest import Case
from tests.containers.container import LOCKED, Image

COMPARE = Path(__file__).resolve().parents[2] / "scripts" / "compare-trees"
GRACE = 60
"""Seconds that the engine waits before it kills the container."""
LIMIT = 300
"""Seconds after which a run without a NIfTI image counts as failed."""
INTERRUPTED = 130


def put_large(folder: Path) -> None:
    """Write a packet that takes seconds to import: many series, each converted by a separate process."""
    tree: dict[str, bytes] = {}
    for number in range(1, 241):
        tree |= under(f"series{number}", MrSeries(number=number, slices=2, rows=64, columns=64).files())
    write_packet(tree, folder, "LARGE", Kind.TAR_GZ)


def wait_for_nifti(out: Path) -> None:
    """Wait until the run has converted one of its many series."""
    deadline = time.monotonic() + LIMIT
    # os.walk ignores folders that the run removes meanwhile; Path.glob raises an error.
    while not any(".nii" in name for _, _, names in os.walk(out / ".qxbatch") for name in names):
        assert time.monotonic() < deadline, f"no NIfTI image below {out} after {LIMIT} s"
        time.sleep(0.05)


def test_a_stopped_import_is_completed_by_the_next_run(image: Image, case: Case, tmp_path: Path) -> None:
    for packet in case.data.iterdir():
        packet.unlink()
    put_large(case.data)
    words = ["/data", "/out", "participant", "--parelements=1"]
    options = [*LOCKED, "--tmpfs=/tmp", *case.as_user]
    started = image.call("run", "--detach", *options, *case.mounts.volumes(), image.name, *words)
    assert started.status == 0, started.text
    name = started.out.strip()
    try:
        wait_for_nifti(case.out)
        assert case.sessions() == [], "the run ended before the stop"
        before = time.monotonic()
        assert image.call("stop", "--time", str(GRACE), name).status == 0
        assert time.monotonic() - before < GRACE / 2
        assert image.call("inspect", "--format", "{{.State.ExitCode}}", name).out.strip() == str(INTERRUPTED)
        assert "interrupted" in image.call("logs", name).text
    finally:
        image.call("rm", "--force", name)
    assert case.sessions() == []

    run = image.run(*words, options=options, mounts=case.mounts)
    assert run.status == 0, run.text
    assert case.sessions() == ["LARGE"]
    assert [path.name for path in case.out.iterdir() if path.name.startswith(".")] == []

    stopped, sessions = tmp_path / "stopped", case.out
    resumed = snapshot(sessions / "LARGE")
    (sessions / "LARGE").rename(stopped)
    assert image.run(*words, options=options, mounts=case.mounts).status == 0
    assert snapshot(sessions / "LARGE").keys() == resumed.keys()
    compared = subprocess.run(
        [sys.executable, COMPARE, stopped, sessions / "LARGE"], capture_output=True, text=True, check=False
    )
    assert (compared.stdout, compared.returncode) == ("", 0)
