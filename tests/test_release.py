"""`scripts/release --check` finds every file with another version."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
VERSION = tomllib.loads((REPOSITORY / "Cargo.toml").read_text())["workspace"]["package"]["version"]
FILES = (
    "Cargo.toml",
    "Cargo.lock",
    "CHANGELOG.md",
    "README.md",
    "Dockerfile",
    "pyproject.toml",
    "scripts/release",
    "rust/crates.cdx.json",
    "containers/boutiques.json",
    "containers/command.json",
    "installed/data/share/man/man1/qxbatch.1",
    "docs/release.md",
)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the files that the check reads."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, tmp_path / name)
    return tmp_path


def check(root: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(root / "scripts" / "release"), "--check", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def change(path: Path, pattern: str, text: str) -> None:
    """Replace the first match in a file."""
    new, count = re.subn(pattern, text, path.read_text(encoding="utf-8"), count=1)
    assert count == 1, f"{pattern} is not in {path}"
    path.write_text(new, encoding="utf-8")


def test_the_versions_in_this_repository_agree() -> None:
    done = check(REPOSITORY)
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        [f"qxbatch {VERSION}: version, changes, documents, image and descriptors agree."],
    )


@pytest.mark.parametrize(
    ("name", "pattern", "text", "message"),
    [
        ("CHANGELOG.md", r"## \S+ \(", "## 9.9.9 (", "CHANGELOG.md: the first heading is of 9.9.9"),
        ("CHANGELOG.md", r"## \S+ \(.*\)", "## Next", "CHANGELOG.md: no heading like"),
        (
            "Cargo.lock",
            r'name = "qxbatch-core"\nversion = "[^"]*"',
            'name = "qxbatch-core"\nversion = "9.9.9"',
            "Cargo.lock",
        ),
        ("pyproject.toml", r'dynamic = \["version"\]', "dynamic = []", "pyproject.toml: dynamic"),
        ("Dockerfile", r"ARG VERSION=.*", "ARG VERSION=9.9.9", "Dockerfile: ARG VERSION is 9.9.9"),
        ("Dockerfile", r"ARG VERSION=.*", "", "Dockerfile: ARG VERSION is None"),
        ("Dockerfile", r'image\.version="[^"]*"', 'image.version="9.9.9"', "image.version is '9.9.9'"),
        ("Dockerfile", r'image\.licenses="[^"]*"', 'image.licenses="MIT"', "image.licenses is 'MIT'"),
        ("Dockerfile", r'image\.description="[^"]*"', 'image.description="other"', "image.description is 'other'"),
        ("Dockerfile", r'image\.title="[^"]*"', 'image.title="other"', "image.title is 'other'"),
        (
            "containers/boutiques.json",
            r'"tool-version": "[^"]*"',
            '"tool-version": "9.9.9"',
            "boutiques.json: tool-version",
        ),
        ("containers/command.json", r'"version": "[^"]*"', '"version": "9.9.9"', "command.json: version is 9.9.9"),
        (
            "rust/crates.cdx.json",
            r'"name": "qxbatch",\n *"version": "[^"]*"',
            '"name": "qxbatch", "version": "9"',
            "crates",
        ),
        ("installed/data/share/man/man1/qxbatch.1", r'"qxbatch \S*"', '"qxbatch 9.9.9"', "qxbatch.1: its first line"),
        ("README.md", r"\Z", "pip install qxbatch-9.9.9-cp311.whl\n", "README.md: names qxbatch 9.9.9"),
        ("docs/release.md", r"\Z", "docker pull qxbatch:9.9.9\n", "docs/release.md: names qxbatch 9.9.9"),
        ("Cargo.toml", r'version = "[^"]*"', 'version = "9.9.9"', "not 9.9.9"),
    ],
)
def test_a_wrong_value_is_reported(copy: Path, name: str, pattern: str, text: str, message: str) -> None:
    assert check(copy).returncode == 0
    change(copy / name, pattern, text)
    done = check(copy)
    assert done.returncode == 1
    assert message in done.stdout


def test_a_tag_needs_the_right_version_and_a_date(copy: Path) -> None:
    change(copy / "CHANGELOG.md", r"\(.*\)", "(unreleased)")
    assert "needs the day" in check(copy, f"v{VERSION}").stdout
    change(copy / "CHANGELOG.md", r"\(unreleased\)", "(2026-12-01)")
    assert check(copy, f"v{VERSION}").returncode == 0
    assert "the tag v9.9.9 is not" in check(copy, "v9.9.9").stdout


@pytest.mark.parametrize("words", [[], ["--make"], ["--check", "v1", "v2"]])
def test_other_arguments_are_a_usage_error(words: list[str]) -> None:
    command = [sys.executable, str(REPOSITORY / "scripts" / "release"), *words]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 64
