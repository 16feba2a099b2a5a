"""Sparse files: they need no space, and reading them to their end takes an hour."""

from pathlib import Path

import pytest

from qxbatch.core import Monitor, hash_file

TERABYTES = 1 << 42


def grow(path: Path) -> None:
    """Create a sparse file, or enlarge a file to one."""
    with path.open("ab") as file:
        file.truncate(TERABYTES)


def refuse_to_hash(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    """A module that hashes a sparse file fails at once, so that a test of it ends."""

    def hash_small(path: str, *, monitor: Monitor | None = None) -> tuple[int, str]:
        assert Path(path).stat().st_size < TERABYTES, f"{path} is hashed"
        return hash_file(path, monitor=monitor)

    monkeypatch.setattr(f"{module}.hash_file", hash_small)
