"""Which module of the package imports which: no circles, and no module that knows half of the house."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "python" / "qxbatch"
MOST = 14
"""A module that imports more of our own does more than one thing."""
Graph = dict[str, set[str]]


def modules(package: Path) -> dict[str, Path]:
    """Return the Python files of a package by their full names."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = [package.name, *path.relative_to(package).with_suffix("").parts]
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(name: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    """Yield the modules of the package that a file imports anywhere, relative ones and those inside functions too.

    What only a type checker imports is left out: it is no import when the program runs.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in _run(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base for alias in node.names]
        else:
            continue
        yield from (each for each in names if each in known and each != name)


def _run(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield from (each for part in node.orelse for each in (part, *_run(part)))
            continue
        yield node
        yield from _run(node)


def graph(package: Path) -> Graph:
    """Return each module of a package with the modules of it that it imports."""
    known = modules(package)
    return {name: set(imported(name, path, known)) for name, path in known.items()}


def circle(found: Graph) -> list[str]:
    """Return the modules of one import circle, the first one again at the end; empty when there is none."""
    done: set[str] = set()

    def visit(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        for each in sorted(found[name]):
            if way_round := visit(each, [*way, name]):
                return way_round
        done.add(name)
        return []

    return next((way for name in sorted(found) if (way := visit(name, []))), [])


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert circle(graph(PACKAGE)) == []


def test_a_module_knows_few_others() -> None:
    assert {name: sorted(known) for name, known in graph(PACKAGE).items() if len(known) > MOST} == {}


def written(folder: Path, files: dict[str, str]) -> Graph:
    for name, text in files.items():
        path = folder / "house" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return graph(folder / "house")


@pytest.mark.parametrize(
    "text",
    [
        "from house.b import x",
        "import house.b",
        "from house import b",
        "from . import b",
        "from .b import x",
        "def f():\n    from .b import x",
        "try:\n    pass\nfinally:\n    from house import b as c",
    ],
)
def test_a_circle_is_found_however_it_is_written(tmp_path: Path, text: str) -> None:
    found = written(tmp_path, {"__init__.py": "", "a.py": text, "b.py": "from house.a import y"})
    assert circle(found) == ["house.a", "house.b", "house.a"]


def test_a_circle_over_rooms_is_found_and_types_alone_are_none(tmp_path: Path) -> None:
    typed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..a import y\nelse:\n    y = 1"
    files = {"__init__.py": "", "a.py": "from house.room.c import z", "room/__init__.py": "", "room/c.py": typed}
    assert circle(written(tmp_path, files)) == []
    assert circle(written(tmp_path, {"room/c.py": "from ..a import y"})) == ["house.a", "house.room.c", "house.a"]
