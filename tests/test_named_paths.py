"""A path with `..` after a link names what the kernel finds there, for each command."""

from pathlib import Path

import pytest

from qxbatch.cli.main import main
from qxbatch.settings.paths import absolute_form, absolute_path
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under, write_folder, write_packet
from tests.build.study import run_main, snapshot

CALLS = (
    ("sort", "{link}/../sessions/S2"),
    ("convert", "{link}/../sessions/S1", "--overwrite=yes"),
    ("report", "{link}/../sessions/S1"),
    ("bids", "{link}/../sessions", "{link}/../bids", "--init={link}/../rules.toml", "--sessions=S1"),
    ("split", "{link}/../two.zip"),
    ("split", "{other}/two.zip", "--output={link}/../split"),
    ("demo", "{link}/../demo", "--packets-only"),
)
"""Commands that write. `link` is in one study and leads to a folder of the other one."""


def write_study(folder: Path) -> None:
    """Write a study with a session and one that is not sorted, and a packet of two patients."""
    series = MrSeries(patient=folder.name)
    for session in ("S1", "S2"):
        write_folder(series.files(), folder / "sessions" / session / "inbox")
    for command in ("sort", "convert"):
        assert run_main(command, str(folder / "sessions" / "S1")).status == 0
    (folder / "sessions" / "S1" / "qxbatch" / "report.html").unlink()  # `report` writes it
    two = {**under("a", series.files()), **under("b", series.with_(patient="other").files())}
    write_packet(two, folder, "two", Kind.ZIP)


@pytest.mark.parametrize("words", CALLS, ids=lambda words: " ".join(words[:2]))
def test_a_command_works_in_the_folder_that_the_kernel_finds(tmp_path: Path, words: tuple[str, ...]) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    write_study(here)
    write_study(there)
    (there / "run").mkdir()
    link = here / "link"
    link.symlink_to(there / "run")
    before = snapshot(here), snapshot(there)
    run = run_main(*(word.format(link=link, other=there) for word in words))
    assert run.status == 0, run.text
    assert snapshot(here) == before[0]
    assert snapshot(there) != before[1]


def test_links_after_the_last_parent_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "link").symlink_to("a/b")
    (tmp_path / "a" / "session").symlink_to("b")
    top = tmp_path.resolve()
    assert absolute_form(tmp_path / "link" / ".." / "session" / "x") == top / "a" / "session" / "x"
    assert absolute_form(tmp_path / "link" / "x") == tmp_path / "link" / "x"
    assert absolute_form(f"{tmp_path}/a/./b/") == tmp_path / "a" / "b"


@pytest.mark.parametrize("command", ["report", "cancel", "resume", "jobs", "convert", "inspect", "regress"])
def test_an_empty_path_is_refused(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A shell gives one for a variable that is not set."""
    assert main([command, ""]) == 64
    assert "A path is empty." in capsys.readouterr().err


def test_only_a_tilde_at_the_beginning_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute_path("--x", "~/x") == Path.home() / "x"
    assert absolute_path("--x", "./~/x") == Path.cwd() / "~" / "x"


WITHOUT_FOLDER = (
    ("sessions",),
    ("{study}", "--config=x.toml"),
    ("{study}", "--log-file=x.log"),
    ("split", "x.zip"),
    ("bids", "a", "b", "--init=r.toml"),
    ("demo",),
    ("demo", "x"),
    ("scan", "x.zip"),
    ("regress", "x"),
    ("resume", "x"),
)


@pytest.mark.parametrize("words", WITHOUT_FOLDER, ids=" ".join)
def test_a_removed_working_folder_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    study = tmp_path / "sessions"
    (study / "inbox" / "MR").mkdir(parents=True)
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    run = run_main(*(word.format(study=study) for word in words))
    assert run.status in (64, 66), run.text
    assert "qxbatch: " in run.err
    assert [path.name for path in tmp_path.iterdir()] == ["sessions"]


def test_no_permission_is_advised_for_a_name_that_is_too_long(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["jobs", str(tmp_path / ("x" * 300))]) == 73
    text = capsys.readouterr().err
    assert "file name too long" in text
    assert "chmod" not in text
