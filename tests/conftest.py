"""Fixtures: a study folder, and the sample data sets where they are present."""

import gc
import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings

from tests.build.study import Study

REPOSITORY = Path(__file__).resolve().parent.parent
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell: tests that send it would fail
    signal.signal(signal.SIGINT, signal.default_int_handler)
settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")  # tests check results, not speed
MISSING = "no sample data: set QXBATCH_TEST_DATA, or put the sets into shared/data beside the repository"


def data_folder() -> Path | None:
    """Return the folder of the sample data sets; None if it does not exist and QXBATCH_TEST_DATA is not set."""
    path = os.environ.get("QXBATCH_TEST_DATA")
    folder = Path(path) if path else REPOSITORY.parent / "shared" / "data"
    if path and not folder.is_dir():
        raise pytest.UsageError(f"QXBATCH_TEST_DATA={path} is not a folder")
    return folder if folder.is_dir() else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests that need the sample data if they are missing; refuse an empty list of parameters."""
    for item in items:
        for mark in item.iter_markers("skip"):
            if str(mark.kwargs.get("reason", "")).startswith("got empty parameter set"):
                raise pytest.UsageError(f"{item.nodeid} has no parameters, so it tests nothing")
    if data_folder() is None:
        for item in items:
            if item.get_closest_marker("data"):
                item.add_marker(pytest.mark.skip(reason=MISSING))


def pytest_collection_finish() -> None:
    """Keep the garbage collector from the tests and modules, which all stay: else it looks at them again and again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    """Do not wrap lines in fixtures: they run the command too."""
    with wide_text():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Do not wrap lines: tests look for whole sentences."""
    with wide_text():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """Restore the environment of the test after it changed variables."""
    with wide_text():
        return (yield)


@pytest.fixture(autouse=True)
def unchanged_working_folder() -> Iterator[None]:
    """Fail a test after which this process works in another folder: later tests start Python with `-m tests...`."""
    before = Path.cwd()
    yield
    after = Path.cwd()
    os.chdir(before)
    assert after == before


@contextmanager
def wide_text() -> Iterator[None]:
    """Set a wide terminal for a test; pytest itself keeps the width of its terminal."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "10000")
        yield


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Return an empty study: `study.put(...)`, `study.run(...)`."""
    return Study(tmp_path)


@pytest.fixture
def disk_path() -> Iterator[Path]:
    """Return a folder for a test that runs bids-validator-deno: Deno reads nothing below /dev, where tests may write."""
    with TemporaryDirectory(prefix="qxbatch-disk-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of the sample data sets."""
    folder = data_folder()
    if folder is None:
        pytest.skip(MISSING)
    return folder


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the documentation site and return its folder."""
    if importlib.util.find_spec("material") is None:
        pytest.skip("no mkdocs-material: install qxbatch[docs]")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return folder
