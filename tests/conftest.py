"""Fixtures: a study folder, and the sample data sets where they are present."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.build.study import Study

REPOSITORY = Path(__file__).resolve().parent.parent
settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")  # a test says what is right, never how fast
MISSING = "no sample data: set QXBATCH_TEST_DATA, or put the sets into ../shared/data beside the repository"


def data_folder() -> Path | None:
    """Return the folder of the sample data sets, if there is one."""
    named = os.environ.get("QXBATCH_TEST_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if named and not folder.is_dir():
        raise pytest.UsageError(f"QXBATCH_TEST_DATA={named} is not a folder")
    return folder if folder.is_dir() else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, what needs the sample data where they are absent; refuse empty lists of parameters."""
    for item in items:
        for mark in item.iter_markers("skip"):
            if str(mark.kwargs.get("reason", "")).startswith("got empty parameter set"):
                raise pytest.UsageError(f"{item.nodeid} has no parameters, so it tests nothing")
    if data_folder() is None:
        for item in items:
            if item.get_closest_marker("data"):
                item.add_marker(pytest.mark.skip(reason=MISSING))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    """Fixtures run the command, too."""
    with wide_text():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Let no line be wrapped: tests look for sentences."""
    with wide_text():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """What a test changed of the environment is put back to what it was for the test."""
    with wide_text():
        return (yield)


@contextmanager
def wide_text() -> Iterator[None]:
    """Within, text is as wide as it needs; pytest itself stays as wide as its terminal."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "10000")
        yield


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Return an empty study: `study.put(...)`, `study.run(...)`."""
    return Study(tmp_path)


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of the sample data sets."""
    folder = data_folder()
    if folder is None:
        pytest.skip(MISSING)
    return folder


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the documentation as a site, which is built."""
    if importlib.util.find_spec("material") is None:
        pytest.skip("no mkdocs-material: install qxbatch[docs]")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder
