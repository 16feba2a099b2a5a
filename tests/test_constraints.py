"""The pinned packages can be installed with the oldest Python that qxbatch supports."""

import importlib.metadata
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

OLDEST_PYTHON = "3.11.0"
CONSTRAINTS = Path(__file__).resolve().parent.parent / "constraints.txt"
PINNED = {line.partition("==")[0] for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines() if "==" in line}
INSTALLED = {
    name: package for name in sorted(PINNED) for package in importlib.metadata.Distribution.discover(name=name)
}
"""The pinned packages, without the tools of a release."""


@pytest.mark.parametrize("name", INSTALLED)
def test_a_pinned_package_supports_the_oldest_python(name: str) -> None:
    """Debian 12 has Python 3.11.2. A package that needs 3.11.5 made the setup fail there."""
    required = INSTALLED[name].metadata.get_all("Requires-Python") or []
    assert OLDEST_PYTHON in SpecifierSet(",".join(required))
