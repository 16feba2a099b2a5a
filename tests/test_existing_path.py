"""Commands say whether a path that the user named does not exist, or cannot be examined."""

from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import write_folder
from tests.build.study import run_main
from tests.faults.unprivileged import unprivileged

COMMANDS = ["scan", "inspect", "verify", "report"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_path_in_a_folder_that_cannot_be_entered_is_not_called_missing(tmp_path: Path, command: str) -> None:
    path = tmp_path / "closed" / "S1"
    path.mkdir(parents=True)
    path.parent.chmod(0)
    run = unprivileged(command, str(path))
    path.parent.chmod(0o755)
    assert run.status == 64, run.text
    assert f"{path} cannot be read: permission denied" in run.err
    assert f"chmod u+rwX {path.parent}" in run.err


@pytest.mark.parametrize("command", ["scan", "inspect"])
def test_a_link_into_a_closed_folder_does_not_stop_the_command_for_other_paths(tmp_path: Path, command: str) -> None:
    link, other, closed = tmp_path / "link", tmp_path / "other", tmp_path / "closed"
    (closed / "S1").mkdir(parents=True)
    link.symlink_to(closed / "S1")
    write_folder(MrSeries(number=7, description="T1w").files(), other)
    closed.chmod(0)
    run = unprivileged(command, str(link), str(other))
    closed.chmod(0o755)
    assert run.status == 1, run.text
    assert f"{link}: permission denied" in run.text
    assert "T1w" in run.out


@pytest.mark.parametrize("command", COMMANDS)
def test_a_link_to_itself_as_parent_is_named(tmp_path: Path, command: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    run = run_main(command, str(tmp_path / "loop" / "S1"))
    assert run.status == 64, run.text
    assert f"{tmp_path / 'loop' / 'S1'} cannot be read: too many levels of symbolic links" in run.err


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["missing", "file/S1"])
def test_a_missing_path_is_named(tmp_path: Path, command: str, name: str) -> None:
    (tmp_path / "file").write_text("")
    run = run_main(command, str(tmp_path / name))
    assert run.status == 64, run.text
    assert f"{tmp_path / name} does not exist." in run.err
