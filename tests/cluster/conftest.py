"""A Slurm for the tests of this folder."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.build.study import Study
from tests.cluster.slurm import Slurm, missing, running
from tests.cluster.submitted import Submitted


@pytest.fixture(scope="session")
def slurm() -> Iterator[Slurm]:
    """Return a running Slurm; the tests are skipped if Slurm is not installed."""
    why = missing()
    if why:
        pytest.skip(f"Slurm cannot run here: {why}")
    # the path of a socket must be short
    with tempfile.TemporaryDirectory(prefix="qx-slurm-") as folder, running(Path(folder)) as started:
        yield started


@pytest.fixture
def submitted(study: Study, slurm: Slurm) -> Iterator[Submitted]:
    """Return an empty study that uses this Slurm; its jobs are cancelled at the end."""
    submitted = Submitted(study, slurm)
    yield submitted
    submitted.call("cancel")
