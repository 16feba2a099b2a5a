"""Tests run commands, and rewrite series, in forks of processes that have imported the modules of qxbatch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.build import normalized as forked
from tests.build.command_server import PRELOADED_MODULES, REPOSITORY
from tests.build.dicom import MrSeries
from tests.build.normalized import check, normalized
from tests.build.slices import block, write_classic
from tests.build.study import Study

IMPORT = """
import json, sys
from importlib import import_module
for name in json.loads(sys.argv[1]):
    import_module(f"qxbatch.{name}")
before = set(sys.modules)
from qxbatch.cli.main import main
status = main([sys.argv[2], "--quiet"])
heavy = {"nibabel", "pydicom"} & before
print(json.dumps([status, sorted(heavy), sorted(name for name in set(sys.modules) - before if "qxbatch" in name)]))
"""


def test_a_fork_imports_no_module_of_qxbatch_again(study: Study) -> None:
    study.put("S1", MrSeries().files())
    command = [sys.executable, "-c", IMPORT, json.dumps(PRELOADED_MODULES), str(study.sessions)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY, env=environment)
    assert json.loads(done.stdout.splitlines()[-1]) == [0, [], []]


def test_a_series_is_rewritten_without_starting_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forked, "run", None)
    slices = block()
    check(normalized(write_classic(tmp_path / "in", slices)), slices)
