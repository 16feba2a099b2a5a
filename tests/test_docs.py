"""The documents are complete and their references exist: files, links, exit statuses, ledger columns, commands."""

import os
import re
from pathlib import Path

import pytest

from qxbatch.exits import ExitStatus
from qxbatch.session.ledger import COLUMNS

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "python" / "qxbatch"
DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
NAMED = re.compile(r"\bdocs/[\w/-]+\.md\b")


def relative_name(path: Path) -> str:
    """Return a path as a test's id."""
    return path.relative_to(REPOSITORY).as_posix()


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative_name)
def test_linked_files_exist(document: Path) -> None:
    targets = [target for target in LINK.findall(document.read_text(encoding="utf-8")) if "://" not in target]
    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_documents_named_in_sources_exist() -> None:
    sources = [
        path
        for folder in ("python", "rust")
        for path in (REPOSITORY / folder).rglob("*")
        if path.suffix in (".py", ".pyi", ".rs")
    ]
    named = {name for path in [*sources, *DOCUMENTS] for name in NAMED.findall(path.read_text(encoding="utf-8"))}
    assert {name for name in named if not (REPOSITORY / name).exists()} == set()


def test_every_exit_status_is_documented() -> None:
    text = (REPOSITORY / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert {int(number) for number in re.findall(r"(?m)^\| (\d+) \|", text)} == {status.value for status in ExitStatus}


def test_the_ledger_columns_are_documented_in_order() -> None:
    text = (REPOSITORY / "docs" / "ledger.md").read_text(encoding="utf-8")
    assert tuple(re.findall(r"(?m)^\| `(\w+)` \|", text))[: len(COLUMNS)] == COLUMNS


def test_commands_in_the_readme_are_executable() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    commands = set(re.findall(r"(?m)^    (scripts/\w+|bench/\w+)", text)) | set(
        re.findall(r"`((?:scripts|bench)/[\w-]+)", text)
    )
    assert {"scripts/demo", "scripts/test"} <= commands
    assert [command for command in commands if not os.access(REPOSITORY / command, os.X_OK)] == []


def test_the_readme_is_short() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    outside_tables = [line for line in text.splitlines() if not line.startswith("|")]
    assert len(" ".join(outside_tables).split()) < 700


def test_files_named_in_contributing_exist() -> None:
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w./<>-]+/[\w./<>-]*\.?\w*)`", text) + re.findall(
        r"scripts/test (tests/\w+\.py)(?: |$)", text
    )
    places = (REPOSITORY, REPOSITORY / "python" / "qxbatch")
    missing = [name for name in named if "<" not in name and not any((place / name).exists() for place in places)]
    assert len(named) > 20
    assert not [name for name in missing if not name.startswith((".venv", "bench/run"))]


def test_the_tests_named_in_contributing_exist() -> None:
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"(tests/\S+\.py)::(\w+)", text)
    assert named
    for file, name in named:
        assert f"def {name}(" in (REPOSITORY / file).read_text(encoding="utf-8")


ABOUT_CODE = ("architecture.md", "design-choices.md", "guarantees.md")
"""Documents of docs/ that name files of the repository in backticks."""
SOURCE = re.compile(r"`((?:[\w.*-]+/)*[\w.*-]+(?:/|\.(?:py|pyi|rs|toml)))`")
IN_FILE = re.compile(r"`(\w+)(?:\.\w+)?(?:\(\))?` in `((?:\w+/)*\w+\.py)`")
USER_FILES = ("protocol.toml",)


def places(line: str) -> list[Path]:
    """Return the folders to which the file names in a line are relative; a row of a table can begin with its folder."""
    row = re.match(r"\| `(python/qxbatch/[\w/]+)/` \|", line)
    return [REPOSITORY / row[1]] if row else [REPOSITORY, PACKAGE, REPOSITORY / "rust/core/src"]


def files(line: str, name: str) -> list[Path]:
    """Return the files that match a name in a line of a document; the name can be a glob."""
    return [path for place in (*places(line), REPOSITORY) for path in place.glob(name)]


@pytest.mark.parametrize("document", ABOUT_CODE)
def test_files_named_in_documents_about_the_code_exist(document: str) -> None:
    lines = (REPOSITORY / "docs" / document).read_text(encoding="utf-8").splitlines()
    named = [(line, name) for line in lines for name in SOURCE.findall(line) if name not in USER_FILES]
    assert len(named) > 10
    assert [name for line, name in named if not files(line, name)] == []


def test_functions_named_in_the_architecture_exist_in_their_files() -> None:
    lines = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8").splitlines()
    named = [(name, path) for line in lines for name, file in IN_FILE.findall(line) for path in files(line, file)]
    assert len(named) > 40
    defined = {path: path.read_text(encoding="utf-8") for _, path in named}
    missing = [
        f"{name} in {path}"
        for name, path in named
        if not re.search(rf"(?m)^(?:(?:def|class) {name}\b|{name}\b)", defined[path])
    ]
    assert missing == []
