"""The scripts of a release say what they cannot do here, and why."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SCRIPTS = ("wheel", "wheel-test")


def called(name: str, *words: str, path: str) -> "subprocess.CompletedProcess[str]":
    command = [str(REPOSITORY / "scripts" / name), *words]
    env = {**os.environ, "PATH": path, "CARGO_HOME": "/none"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


@pytest.fixture
def few(tmp_path: Path) -> str:
    """A PATH of the programs that the scripts need before they do anything."""
    for name in ("bash", "env", "id", "dirname", "realpath", "sed", "mktemp", "rm"):
        found = shutil.which(name)
        assert found is not None
        (tmp_path / name).symlink_to(found)
    return str(tmp_path)


def test_no_system_is_made_without_debootstrap(few: str, tmp_path: Path) -> None:
    done = called("debian-root", "trixie", str(tmp_path / "root"), path=few)
    assert done.returncode == 69
    assert "trixie cannot be made here: " in done.stderr
    assert ("debootstrap is not installed" in done.stderr) is (os.geteuid() == 0)


def test_a_wheel_needs_rust(few: str, tmp_path: Path) -> None:
    done = called("wheel", str(tmp_path / "dist"), path=few)
    assert done.returncode == 1
    assert "install Rust 1.85" in done.stderr
    assert not (tmp_path / "dist").exists()


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_says_how_a_script_is_called(name: str, few: str) -> None:
    done = called(name, "--help", path=few)
    assert done.returncode == 0
    assert f"scripts/{name} [" in (REPOSITORY / "scripts" / name).read_text(encoding="utf-8").partition("\n")[2]
    assert len(done.stdout.splitlines()) >= 3


@pytest.mark.parametrize(
    "path", sorted(each for each in (REPOSITORY / "scripts").iterdir() if not each.suffix), ids=lambda path: path.name
)
def test_shellcheck_has_no_warning(path: Path) -> None:
    shellcheck = shutil.which("shellcheck")
    if shellcheck is None:
        pytest.skip("shellcheck is not installed")
    if "python" in path.read_text(encoding="utf-8").partition("\n")[0]:
        assert os.access(path, os.X_OK)
        return
    done = subprocess.run([shellcheck, "--severity=warning", path], capture_output=True, text=True, check=False)
    assert done.stdout == ""
