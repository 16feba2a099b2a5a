"""The hint for root in another user's folder."""

import os
from pathlib import Path

import pytest

from qxbatch.cli.owner import hint, owner_hint

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")


@root_only
def test_another_users_folder_is_named_with_the_user_to_take(tmp_path: Path) -> None:
    os.chown(tmp_path, 1234, 5678)
    told = hint(tmp_path / "out", tmp_path)
    assert told is not None
    assert f"{tmp_path} belongs to user 1234" in told
    assert "--user 1234:5678" in told


@root_only
def test_roots_own_folder_needs_no_hint(tmp_path: Path) -> None:
    assert hint(tmp_path, tmp_path) is None


@root_only
def test_a_folder_that_is_not_there_yet_is_judged_by_the_one_above(tmp_path: Path) -> None:
    if Path("/proc/self/uid_map").read_text().split() != ["0", "0", "4294967295"]:
        pytest.skip("in a user namespace root is another user")
    os.chown(tmp_path, 1234, 5678)
    told = owner_hint(tmp_path / "not" / "there")
    assert told is not None
    assert "--user 1234:5678" in told


def test_another_user_needs_no_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1234)
    assert owner_hint(tmp_path) is None
