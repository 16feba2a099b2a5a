"""The release scripts report what they need and how they are called."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SCRIPTS = ("wheel", "wheel-test")


def run_script(name: str, *words: str, path: str) -> "subprocess.CompletedProcess[str]":
    command = [str(REPOSITORY / "scripts" / name), *words]
    env = {**os.environ, "PATH": path, "CARGO_HOME": "/none"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


@pytest.fixture
def minimal_path(tmp_path: Path) -> str:
    """A PATH with only the programs that the scripts need at their start."""
    for name in ("bash", "env", "id", "dirname", "realpath", "sed", "mktemp", "rm"):
        program = shutil.which(name)
        assert program is not None
        (tmp_path / name).symlink_to(program)
    return str(tmp_path)


def test_debian_root_needs_debootstrap(minimal_path: str, tmp_path: Path) -> None:
    done = run_script("debian-root", "trixie", str(tmp_path / "root"), path=minimal_path)
    assert done.returncode == 69
    assert "trixie cannot be made here: " in done.stderr
    assert ("debootstrap is not installed" in done.stderr) is (os.geteuid() == 0)


def test_a_wheel_needs_rust(minimal_path: str, tmp_path: Path) -> None:
    done = run_script("wheel", str(tmp_path / "dist"), path=minimal_path)
    assert done.returncode == 1
    assert "install Rust 1.85" in done.stderr
    assert not (tmp_path / "dist").exists()


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_shows_the_usage_of_a_script(name: str, minimal_path: str) -> None:
    done = run_script(name, "--help", path=minimal_path)
    assert done.returncode == 0
    assert f"scripts/{name} [" in (REPOSITORY / "scripts" / name).read_text(encoding="utf-8").partition("\n")[2]
    assert len(done.stdout.splitlines()) >= 3


@pytest.mark.parametrize(
    "path",
    sorted(each for each in (REPOSITORY / "scripts").iterdir() if each.is_file() and not each.suffix),
    ids=lambda path: path.name,
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
