"""Runs that import nothing: a missing inbox, a missing converter."""

import shlex
import subprocess
from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import under
from tests.build.study import Study

FILES = under("x", MrSeries(number=3, description="T1w").files())


@pytest.mark.parametrize("more", [[], ["--quiet"], ["--test"]])
def test_a_missing_inbox_is_reported_with_the_command_that_creates_it(study: Study, more: list[str]) -> None:
    study.inbox.rmdir()
    run = study.main(*more)
    assert run.status == 66, run.text
    [line] = [line for line in run.text.splitlines() if "does not exist" in line]
    assert str(study.inbox) in line
    subprocess.run(shlex.split(line.partition(": ")[2]), check=True)
    assert study.inbox.is_dir()
    assert "does not exist" not in study.main(*more).text


def test_the_command_maps_the_path_of_a_container(study: Study) -> None:
    study.inbox.rmdir()
    run = study.main(f"--path-map={study.sessions}=/out side")
    assert "mkdir -p '/out side/inbox/MR'" in run.text


@pytest.mark.parametrize("test", [[], ["--test"]])
def test_a_missing_converter_gives_status_69_also_in_a_dry_run(study: Study, tmp_path: Path, test: list[str]) -> None:
    study.put("S1", FILES)
    run = study.main("--tool=dicm2nii", f"--dicm2nii-dir={tmp_path}", *test)
    assert run.status == 69, run.text
    assert "dicm2nii" in run.text


def test_a_dry_run_with_nothing_to_convert_needs_no_converter(study: Study, tmp_path: Path) -> None:
    assert study.main("--tool=dicm2nii", f"--dicm2nii-dir={tmp_path}", "--test", "--check=no").status == 0
