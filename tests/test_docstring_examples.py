"""The examples in docstrings give the results that they show."""

import doctest
import importlib
from pathlib import Path

import pytest

_PACKAGE = Path(__file__).resolve().parent.parent / "python" / "qxbatch"
_MODULES = sorted(
    ".".join(path.relative_to(_PACKAGE.parent).with_suffix("").parts)
    for path in _PACKAGE.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


def test_some_docstrings_have_examples() -> None:
    assert len(_MODULES) > 10


@pytest.mark.parametrize("module_name", _MODULES)
def test_each_example_gives_its_result(module_name: str) -> None:
    output: list[str] = []
    runner = doctest.DocTestRunner()
    for test in doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(module_name)):
        runner.run(test, out=output.append)
    assert runner.tries > 0
    assert not output, "".join(output)
