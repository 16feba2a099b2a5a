"""scripts/test runs each named suite and test file, and sets up only what they need."""

import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
CALL = """#!/bin/sh
echo "called: $(basename "$0") $*"
"""
FAIL = """#!/bin/sh
exit 1
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose tools print how they are called; nothing is installed yet."""
    tools = {"scripts/setup": CALL, "scripts/docs": CALL, ".venv/bin/python": FAIL}
    tools |= {f".venv/bin/{name}": CALL for name in ("pytest", "ruff", "mypy")}
    for name, text in tools.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").touch()
    shutil.copy(REPOSITORY / "scripts" / "test", tmp_path / "scripts" / "test")
    return tmp_path


def called(checkout: Path, *words: str) -> list[str]:
    """Run scripts/test, and return the names of the called tools with their first arguments."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(checkout)}
    command = ["scripts/test", *words]
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=True)
    lines = [line.removeprefix("called: ") for line in done.stdout.splitlines() if line.startswith("called: ")]
    assert all(line.endswith("tests/test_a.py") for line in lines if line.startswith("pytest"))
    return [" ".join(line.split()[:2]) for line in lines]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["tests/test_a.py"], ["setup test", "pytest --numprocesses"]),
        (["mypy", "tests/test_a.py"], ["setup test", "mypy", "pytest --numprocesses"]),
        (["tests/test_a.py", "ruff"], ["setup test", "ruff check", "ruff format", "pytest --numprocesses"]),
        (["docs", "tests/test_a.py"], ["setup test,docs", "docs", "pytest --numprocesses"]),
        (["setup", "tests/test_a.py"], ["setup test,docs", "pytest --numprocesses"]),
        (["mypy"], ["mypy"]),
    ],
)
def test_the_named_suites_and_test_files_run(checkout: Path, words: list[str], expected: list[str]) -> None:
    assert called(checkout, *words) == expected


@pytest.mark.parametrize(("free", "in_memory"), [(5000, True), (100, False)])
def test_tests_write_into_memory_where_there_is_room(checkout: Path, free: int, in_memory: bool) -> None:
    line = pytest_line(checkout, free, CALL)
    assert ("--basetemp /dev/shm/qxbatch-tests." in line) is in_memory
    if in_memory:
        assert not basetemp(line).parent.exists()


def test_the_files_of_failed_tests_are_kept_on_disk(checkout: Path) -> None:
    write = 'mkdir -p "$4" && echo kept > "$4/file"\nexit 1\n'
    line = pytest_line(checkout, 5000, CALL + write)
    assert not basetemp(line).parent.exists()
    (file,) = (checkout / "tmp").rglob("file")
    assert file.read_text() == "kept\n"


def basetemp(line: str) -> Path:
    """Return the folder for the files of the tests."""
    words = line.split()
    return Path(words[words.index("--basetemp") + 1])


def pytest_line(checkout: Path, free: int, pytest_program: str) -> str:
    """Run a test file where memory has this much room in MB; return the call of pytest."""
    programs = checkout / "programs"
    programs.mkdir()
    for name, number in {"df": free, "awk": 16000}.items():
        (programs / name).write_text(f"#!/bin/sh\necho {number}\n")
        (programs / name).chmod(0o755)
    (checkout / ".venv" / "bin" / "pytest").write_text(pytest_program)
    (checkout / "tmp").mkdir()
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(checkout), "TMPDIR": str(checkout / "tmp")}
    command = ["scripts/test", "tests/test_a.py"]
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("called: pytest")]
    return line
