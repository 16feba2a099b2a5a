"""Rules for the source tree: import restrictions, file length, no unfinished code, pinned requirements, equal versions."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import requires, version
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "python" / "qxbatch"
LONGEST, LONGEST_TEST = 400, 450
UNFINISHED = re.compile("|".join(["TO" + "DO", "FIX" + "ME", r"\bXX" + r"X\b", "todo" + "!", "unimplemented" + "!"]))


def sources() -> list[Path]:
    """Return the source files of the repository without build output."""
    folders = ("python", "rust", "tests", "bench", "scripts", ".ci")
    paths = (path for folder in folders for path in (REPOSITORY / folder).rglob("*"))
    source_files = (path for path in paths if path.is_file() and not {"target", "__pycache__"} & set(path.parts))
    return sorted(path for path in source_files if path.suffix in (".py", ".pyi", ".rs", ".sh", ".c", ""))


def imports(path: Path) -> Iterator[str]:
    """Yield the full names of the modules that a Python file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def importers(module: str) -> set[str]:
    """Return the package's files that import a module or one of its submodules, relative to the package."""
    return {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if any(name == module or name.startswith(f"{module}.") for name in imports(path))
    }


def test_only_core_py_imports_the_extension() -> None:
    assert importers("qxbatch._core") == {"core.py"}


def test_only_the_command_line_imports_docopt() -> None:
    assert {path.split("/")[0] for path in importers("docopt")} <= {"cli"}


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_a_source_file_is_short_and_finished(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    counted = lines[: lines.index("#[cfg(test)]")] if "#[cfg(test)]" in lines else lines
    assert len(counted) <= (LONGEST_TEST if "tests" in path.parts else LONGEST)
    assert [line for line in lines if UNFINISHED.search(line)] == []


def architecture() -> str:
    """Return the text of docs/architecture.md."""
    return (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_the_architecture_names_every_package() -> None:
    named = set(re.findall(r"`python/qxbatch/([\w/]+?)/?`", architecture()))
    packages = {path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.glob("*/__init__.py")}
    packages |= {path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.glob("bids/*/__init__.py")}
    assert packages - named == set()


@pytest.mark.parametrize("number", [0, 1], ids=["all", "bids"])
def test_the_diagrams_of_the_architecture_have_the_order_of_the_import_layers(number: int) -> None:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][number]["layers"]
    order = [re.findall(r"\w+", layer) for layer in layers]
    drawn = re.findall(r"(?s)```text\n(┌.*?)```", architecture())[number]
    names = [name for name in re.findall(r"(?<![\w./])\w+(?![\w./])", drawn) if any(name in level for level in order)]
    assert sorted(names) == sorted(name for level in order for name in level)
    ranks = [next(rank for rank, level in enumerate(order) if name in level) for name in names]
    assert ranks == sorted(ranks)


def test_every_requirement_is_pinned() -> None:
    pins = re.findall(r"(?m)^([\w.-]+)==", (REPOSITORY / "constraints.txt").read_text(encoding="utf-8"))
    pinned = {name.lower().replace("_", "-") for name in pins}
    required = {re.split(r"[\s=<>;\[]", line)[0].lower() for line in requires("qxbatch") or ()}
    assert required - pinned == set()


def test_package_and_workspace_have_one_version() -> None:
    workspace = tomllib.loads((REPOSITORY / "Cargo.toml").read_text(encoding="utf-8"))
    assert version("qxbatch") == workspace["workspace"]["package"]["version"]


def test_cargo_lock_is_up_to_date() -> None:
    command = ["cargo", "metadata", "--locked", "--format-version=1", "--no-deps"]
    try:
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("cargo is not on PATH")
    assert done.returncode == 0, done.stderr
