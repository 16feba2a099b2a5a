"""Misspelt commands, `help` and `version` as words, and options of QuNex."""

from pathlib import Path

import pytest

from qxbatch.cli.main import main
from qxbatch.settings.of_qunex import ADVICE_BY_QUNEX_OPTION
from qxbatch.settings.parameters import PARAMETERS
from tests.build.study import Study


@pytest.mark.parametrize(
    ("words", "command"),
    [(["doctr"], "doctor"), (["doctr", "--json"], "doctor"), (["verfy", "a"], "verify"), (["hlep"], "help")]
    + [(["doctr", word], "doctor") for word in ("--help", "-h", "--help=all")],
)
def test_a_misspelt_command_is_wrong_usage_and_the_similar_one_is_suggested(
    words: list[str], command: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 64
    err = capsys.readouterr().err
    assert f"`qxbatch {command}`" in err
    assert f"./{words[0]}" in err


@pytest.mark.parametrize("words", [["typo", "--help"], ["help", "typo"]])
def test_the_help_of_an_unknown_command_is_wrong_usage(
    words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 64
    captured = capsys.readouterr()
    assert "There is no command typo" in captured.err
    assert not captured.out
    (tmp_path / "typo").mkdir()
    assert main(words) == 0, "the import has this help, and its first word is a folder"


@pytest.mark.parametrize("word", ["./doctr", "doctr"])
def test_an_existing_folder_with_the_name_of_a_misspelt_command_is_imported(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "doctr/inbox/MR").mkdir(parents=True)
    assert main([word]) == 66
    assert "no command" not in capsys.readouterr().err


def test_a_folder_that_an_import_creates_can_have_a_name_similar_to_a_command(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(study.sessions)
    assert main(["sorted", f"--masterinbox={study.inbox}", "--check=no"]) == 0
    assert main([str(study.inbox), "reports", "participant", "--check=no"]) == 0


@pytest.mark.parametrize(
    ("words", "option"), [(["help"], ["--help"]), (["help", "scan"], ["scan", "--help"]), (["version"], ["--version"])]
)
def test_help_and_version_work_as_words(
    words: list[str], option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    out = capsys.readouterr().out
    assert main(option) == 0
    assert out == capsys.readouterr().out


@pytest.mark.parametrize("name", sorted(ADVICE_BY_QUNEX_OPTION))
@pytest.mark.parametrize("form", ["--{}=x", "--{}"])
def test_an_option_of_qunex_is_wrong_usage_and_its_replacement_is_named(
    name: str, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for spelling in (name, name.replace("_", "-")):
        assert main([str(tmp_path), form.format(spelling)]) == 64
        assert ADVICE_BY_QUNEX_OPTION[name] in capsys.readouterr().err


def test_no_option_of_the_import_has_the_name_of_a_qunex_option() -> None:
    assert not {parameter.name for parameter in PARAMETERS} & set(ADVICE_BY_QUNEX_OPTION)


@pytest.mark.parametrize("name", ["existing_structure", "clean-dicom-folders"])
@pytest.mark.parametrize("value", ["", "=yes", "=no"])
def test_options_without_effect_are_accepted_with_a_message(name: str, value: str, study: Study) -> None:
    run = study.main(f"--{name}{value}", "--check=no")
    assert run.status == 0, run.text
    assert f"--{name.replace('_', '-')} has no effect" in run.err
