"""A warning is shown if root writes into another user's folder."""

import os
from pathlib import Path

import pytest

from qxbatch.cli.owner import owner_warning, warning_about

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")


@root_only
def test_the_hint_names_the_folder_and_its_user(tmp_path: Path) -> None:
    os.chown(tmp_path, 1234, 5678)
    message = warning_about(tmp_path / "out", tmp_path)
    assert message is not None
    assert f"{tmp_path} belongs to user 1234" in message
    assert "--user 1234:5678" in message


@root_only
def test_a_folder_of_root_gives_no_hint(tmp_path: Path) -> None:
    assert warning_about(tmp_path, tmp_path) is None


@root_only
def test_the_owner_of_a_missing_folder_is_that_of_its_parent(tmp_path: Path) -> None:
    if Path("/proc/self/uid_map").read_text().split() != ["0", "0", "4294967295"]:
        pytest.skip("root of a user namespace is another user")
    os.chown(tmp_path, 1234, 5678)
    message = owner_warning(tmp_path / "missing" / "folder")
    assert message is not None
    assert "--user 1234:5678" in message


def test_a_user_other_than_root_gets_no_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1234)
    assert owner_warning(tmp_path) is None
