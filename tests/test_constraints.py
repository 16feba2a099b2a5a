"""The pinned packages can be installed with the oldest Python that qxbatch supports."""

import importlib.metadata
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

OLDEST_PYTHON = "3.11.0"
CONSTRAINTS = Path(__file__).resolve().parent.parent / "constraints.txt"
NAMES = [line.partition("==")[0] for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines() if "==" in line]


@pytest.mark.parametrize("name", NAMES)
def test_a_pinned_package_supports_the_oldest_python(name: str) -> None:
    """Debian 12 has Python 3.11.2. A package that needs 3.11.5 made the setup fail there."""
    try:
        metadata = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return  # it belongs to the tools of a release
    assert OLDEST_PYTHON in SpecifierSet(metadata.get("Requires-Python", ""))
