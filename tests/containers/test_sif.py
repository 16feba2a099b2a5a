"""The SIF, run by Apptainer without access to the host, gives the result of a run without a container."""

import subprocess
import sys
from pathlib import Path

from qxbatch.demo import make_study
from tests.containers.container import Mounts, Sif

COMPARE = Path(__file__).resolve().parents[2] / "scripts" / "compare-trees"
SESSIONS = ["OP101", "OP102_baseline", "OP103", "OP104"]


def test_the_sif_has_help_version_and_a_test(sif: Sif) -> None:
    assert sif.run("--version").out.startswith("qxbatch ")
    assert "Usage" in sif.run().out
    assert sif.run("--no-such-option").status == 64
    assert "apptainer run" in sif.call("run-help", str(sif.path)).out
    test = sif.call("test", *sif.options(), str(sif.path))
    assert test.status == 0, test.text


def test_the_sif_has_the_labels_of_the_image(sif: Sif) -> None:
    labels = sif.call("inspect", "--labels", str(sif.path)).out
    assert "org.opencontainers.image.version" in labels


def test_an_import_equals_one_without_a_container(sif: Sif, bare: str, tmp_path: Path) -> None:
    data = make_study(tmp_path) / "inbox" / "MR"
    out, inside = tmp_path / "out", tmp_path / "inside"
    out.mkdir()
    mounts = Mounts(writable={"/out": out}, readable={"/data": data})
    run = sif.run("/data", "/out", "participant", f"--path-map=/out={out}", mounts=mounts)
    assert run.status == 0, run.text
    out.rename(inside)
    out.mkdir()
    done = subprocess.run([bare, data, out, "participant"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(path.parent.name for path in inside.glob("*/session.txt")) == SESSIONS
    for session in SESSIONS:
        compared = subprocess.run(
            [sys.executable, COMPARE, inside / session, out / session], capture_output=True, text=True, check=False
        )
        assert (compared.stdout, compared.returncode) == ("", 0)
