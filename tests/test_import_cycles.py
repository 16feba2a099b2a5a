"""The Rust core and the Python package have no import cycles, and no Python module imports many others of the package."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
CORE = REPOSITORY / "rust" / "core" / "src"
PACKAGE = REPOSITORY / "python" / "qxbatch"
MOST = 14
"""Maximum number of the package's own modules that one module may import."""

Module = tuple[str, ...]
Files = Mapping[Module, Path]

LINE_COMMENT = re.compile(r"(?m)//.*$")
TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
INLINE_TESTS = re.compile(r"(?s)#\[cfg\(test\)\]\s*mod \w+ \{.*\Z")
CHILD = re.compile(r"(?m)^\s*(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+)\s*;")
USE = re.compile(r"(?s)(pub(?:\([^)]*\))?\s+)?\buse\s+([^;]+);")
INLINE_PATH = re.compile(r"\b[a-z_]\w*(?:::\w+)+")


def rust_modules(root: Path) -> dict[Module, Path]:
    """Return the files of a crate by module path."""
    modules = {}
    for path in root.rglob("*.rs"):
        parts = path.relative_to(root).with_suffix("").parts
        modules[parts[:-1] if parts[-1] in ("mod", "lib") else parts] = path
    return modules


def leaves(tree: str) -> Iterator[tuple[Module, str]]:
    """Yield each path of a `use` tree with the name that it is imported as."""
    head, brace, tail = tree.strip().partition("{")
    if not brace:
        path, _, alias = head.partition(" as ")
        parts = tuple(part.strip() for part in path.split("::") if part.strip())
        parts = parts[:-1] if parts[-1:] == ("self",) and len(parts) > 1 else parts
        yield parts, (alias or parts[-1]).strip()
        return
    prefix = tuple(part.strip() for part in head.split("::") if part.strip())
    depth, start, inner = 0, 0, tail.rsplit("}", 1)[0] + ","
    for at, letter in enumerate(inner):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            if branch := inner[start:at].strip():
                for parts, name in leaves(branch):
                    yield (
                        (prefix, name if name != "self" else prefix[-1])
                        if parts == ("self",)
                        else (prefix + parts, name)
                    )
            start = at + 1


class RustFile:
    """The child modules of one file of the crate, and the paths that it uses or re-exports."""

    def __init__(self, module: Module, text: str) -> None:
        text = INLINE_TESTS.sub("", LINE_COMMENT.sub("", TEXT.sub('""', text)))
        self.module = module
        self.children = set(CHILD.findall(text))
        self.exports: dict[str, Module] = {}
        self.paths: set[Module] = set()
        for public, tree in USE.findall(text):
            for parts, name in leaves(tree):
                path = self.absolute(parts)
                self.paths.add(path)
                if public:
                    self.exports[name] = path
        for path in INLINE_PATH.findall(USE.sub("", text)):
            self.paths.add(self.absolute(tuple(path.split("::"))))

    def absolute(self, parts: Module) -> Module:
        """Return a path relative to the crate root; one from another crate or an imported name gets an empty first part."""
        base = self.module
        if parts[0] == "crate":
            return parts[1:]
        if parts[0] in self.children:
            return base + parts
        if parts[0] not in ("self", "super"):
            return ("", *parts)
        while parts and parts[0] in ("self", "super"):
            base = base[:-1] if parts[0] == "super" else base
            parts = parts[1:]
        return base + parts


def defining(path: Module, files: Mapping[Module, RustFile]) -> Module | None:
    """Return the module that defines the item of a path; None outside the crate."""
    known = next((path[:end] for end in range(len(path), -1, -1) if path[:end] in files), None)
    if known is None or path[:1] == ("",):
        return None
    if len(path) > len(known):
        export = files[known].exports.get(path[len(known)])
        if export is not None:
            return defining(export, files) or known
    return known


def rust_imports(root: Path) -> dict[str, set[str]]:
    """Return which files of a crate each file uses; an item that `mod.rs` re-exports counts for the file that defines it."""
    modules = rust_modules(root)
    files = {module: RustFile(module, path.read_text(encoding="utf-8")) for module, path in modules.items()}
    names = {module: path.relative_to(root).as_posix() for module, path in modules.items()}
    used = {
        module: {target for path in file.paths if (target := defining(path, files)) is not None} - {module}
        for module, file in files.items()
    }
    return {names[module]: {names[target] for target in targets} for module, targets in used.items()}


def python_modules(root: Path) -> dict[str, Path]:
    """Return the files of a package by full module name."""
    modules = {}
    for path in root.rglob("*.py"):
        parts = path.relative_to(root.parent).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return modules


def python_names(path: Path, package: str) -> Iterator[str]:
    """Yield the full names that a Python file imports, at any level."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def python_imports(root: Path) -> dict[str, set[str]]:
    """Return which modules of a package each of its modules imports."""
    modules = python_modules(root)
    used: dict[str, set[str]] = {}
    for module, path in modules.items():
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        names = python_names(path, package)
        imported = {name if name in modules else name.rpartition(".")[0] for name in names}
        used[module] = {name for name in imported if name in modules} - {module}
    return used


def import_cycle(used: Mapping[str, Iterable[str]]) -> list[str]:
    """Return one import cycle in order, its first file or module also last; an empty list if there is none."""
    try:
        TopologicalSorter(used).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_the_rust_core_has_no_import_cycle() -> None:
    assert import_cycle(rust_imports(CORE)) == []


def test_the_python_package_has_no_import_cycle() -> None:
    assert import_cycle(python_imports(PACKAGE)) == []


def test_a_module_imports_few_others() -> None:
    used = python_imports(PACKAGE)
    assert {module: sorted(names) for module, names in used.items() if len(names) > MOST} == {}


def test_a_rust_cycle_through_a_reexport_is_found(tmp_path: Path) -> None:
    (tmp_path / "subpackage").mkdir()
    (tmp_path / "lib.rs").write_text("pub mod subpackage;\n")
    (tmp_path / "subpackage" / "mod.rs").write_text(
        "mod first;\nmod second;\npub use first::{First, Other as Renamed};\n"
    )
    (tmp_path / "subpackage" / "first.rs").write_text("use super::second::Second;\npub struct First(Second);\n")
    second = tmp_path / "subpackage" / "second.rs"
    second.write_text(
        "// use super::Renamed;\npub struct Second;\n#[cfg(test)]\nmod tests {\n use super::super::First;\n}\n"
    )
    assert import_cycle(rust_imports(tmp_path)) == []
    second.write_text("use super::{Renamed, std_like};\npub struct Second;\n")
    assert sorted(set(import_cycle(rust_imports(tmp_path)))) == ["subpackage/first.rs", "subpackage/second.rs"]
    second.write_text("pub fn second() { crate::subpackage::first::one(); }\n")
    assert sorted(set(import_cycle(rust_imports(tmp_path)))) == ["subpackage/first.rs", "subpackage/second.rs"]


def imports_of(top: Path, files: Mapping[str, str]) -> dict[str, set[str]]:
    for name, text in files.items():
        path = top / "package" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return python_imports(top / "package")


@pytest.mark.parametrize(
    "text",
    [
        "from package.second import two",
        "import package.second",
        "from package import second",
        "from . import second",
        "from .second import two",
        "def one():\n    from .second import two",
        "try:\n    pass\nfinally:\n    from package import second as two",
    ],
)
def test_a_python_cycle_is_found_for_every_form_of_import(tmp_path: Path, text: str) -> None:
    imports = imports_of(
        tmp_path, {"__init__.py": "", "first.py": text, "second.py": "from package.first import one\n"}
    )
    assert sorted(set(import_cycle(imports))) == ["package.first", "package.second"]


def test_a_python_cycle_across_subpackages_is_found(tmp_path: Path) -> None:
    files = {"__init__.py": "", "first.py": "from package.subpackage.second import two\n", "subpackage/__init__.py": ""}
    assert import_cycle(imports_of(tmp_path, {**files, "subpackage/second.py": "two = 2\n"})) == []
    imports = imports_of(tmp_path, {"subpackage/second.py": "from ..first import one\n"})
    assert sorted(set(import_cycle(imports))) == ["package.first", "package.subpackage.second"]
