"""Raw parameters become typed settings, or a message that names the choices."""

from collections.abc import Callable
from pathlib import Path

import pytest

from qxbatch.problems import UsageError
from qxbatch.settings import cpus
from qxbatch.settings.model import Archive, Check, Gzip, JoinSeries, OnDamaged, OnMixed, OnSameSession, Settings, Tool
from qxbatch.settings.parameter import Parameter
from qxbatch.settings.parameters import JSON_FIELDS, PARAMETERS
from qxbatch.settings.parse import parse


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inbox/MR").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def settings(folder: Path) -> Callable[..., Settings]:
    """Settings of a run with these parameters."""
    return lambda **given: parse({"sessionsfolder": str(folder), **given}).settings


def test_the_defaults_are_those_of_the_decisions(
    settings: Callable[..., Settings], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpus, "usable", lambda: 3)
    found = settings()
    assert found.masterinbox == folder / "inbox/MR"
    assert found.archive_folder == folder / "archive/MR"
    assert (found.archive, found.check, found.gzip, found.tool) == (Archive.MOVE, Check.ANY, Gzip.FOLDER, Tool.AUTO)
    assert (found.parelements, found.n_procs, found.mem, found.timeout) == (1, 3, None, None)
    assert (found.add_image_type, found.add_json_info) == (0, ())
    assert (found.unzip, found.verbose, found.overwrite, found.test, found.quiet) == (True, True, False, False, False)
    assert (found.on_mixed, found.on_same_session) == (OnMixed.REJECT, OnSameSession.REJECT)
    assert found.join_series is JoinSeries.AUTO
    assert found.on_damaged is OnDamaged.REFUSE
    assert found.fallback is None
    assert found.logfile is None


def test_every_choice_of_every_parameter_is_accepted(settings: Callable[..., Settings]) -> None:
    for parameter in PARAMETERS:
        for choice in parameter.choices:
            settings(**{parameter.name: choice})


WITH_CHOICES = [each for each in PARAMETERS if each.choices]


@pytest.mark.parametrize("parameter", WITH_CHOICES, ids=lambda each: each.name)
@pytest.mark.parametrize("value", ["perhaps", ""])
def test_a_value_outside_the_list_names_the_choices(
    settings: Callable[..., Settings], parameter: Parameter, value: str
) -> None:
    if not value and not parameter.default:
        assert settings(**{parameter.name: value}).fallback is None
        return
    with pytest.raises(UsageError) as wrong:
        settings(**{parameter.name: value})
    assert parameter.option in wrong.value.message
    assert ", ".join(parameter.choices) in wrong.value.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("parelements", "0"),
        ("parelements", "many"),
        ("n_procs", "-1"),
        ("n_procs", "1.5"),
        ("add_image_type", "-1"),
        ("add_image_type", "x"),
        ("gzip_level", "10"),
        ("max_expansion", "0"),
        ("timeout", "0"),
        ("timeout", "soon"),
        ("settle", "-1"),
        ("settle", "nan"),
        ("mem", "much"),
        ("mem", "0"),
        ("path_map", "/here"),
        ("path_map", "here:/there"),
        ("add_json_info", "TR,Flip"),
    ],
)
def test_a_number_or_list_that_does_not_fit_is_wrong_usage(
    settings: Callable[..., Settings], name: str, value: str
) -> None:
    with pytest.raises(UsageError) as wrong:
        settings(**{name: value})
    assert "--" + name.replace("_", "-") in wrong.value.message
    assert wrong.value.status == 64
    assert wrong.value.hint


def test_unknown_json_fields_are_named_with_those_that_there_are(settings: Callable[..., Settings]) -> None:
    with pytest.raises(UsageError, match="Flip") as wrong:
        settings(add_json_info="TR,Flip")
    assert all(field in wrong.value.hint for field in JSON_FIELDS)


@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        ("", ()),
        ("all", JSON_FIELDS),
        ("ALL", JSON_FIELDS),
        ("DwellTime,TR", ("TR", "DwellTime")),
        ("tr, pedirection", ("TR", "PEDirection")),
    ],
)
def test_json_fields_come_in_the_order_of_session_txt(
    settings: Callable[..., Settings], asked: str, fields: tuple[str, ...]
) -> None:
    assert settings(add_json_info=asked).add_json_info == fields


@pytest.mark.parametrize(
    ("size", "count"),
    [
        ("8G", 8 << 30),
        ("500M", 500 << 20),
        ("1.5 GB", 3 << 29),
        ("2GiB", 2 << 30),
        ("4000", 4000 << 20),
        ("64k", 64 << 10),
    ],
)
def test_sizes_have_units(settings: Callable[..., Settings], size: str, count: int) -> None:
    assert settings(mem=size).mem == count


@pytest.mark.parametrize(
    ("parelements", "n_procs", "expected"),
    [
        ("1", "", (1, 4)),
        ("all", "", (4, 4)),
        ("8", "", (8, 8)),
        ("8", "2", (2, 2)),
        ("all", "all", (4, 4)),
        ("2", "6", (2, 6)),
    ],
)
def test_converters_are_never_more_than_all_processes_together(
    settings: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
    parelements: str,
    n_procs: str,
    expected: tuple[int, int],
) -> None:
    monkeypatch.setattr(cpus, "usable", lambda: 4)
    found = settings(parelements=parelements, n_procs=n_procs)
    assert (found.parelements, found.n_procs) == expected


def test_paths_are_absolute_and_pairs_are_pairs(
    settings: Callable[..., Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = settings(work_dir="work", json_file="../run.json", path_map="/data=/mnt/a:b,/out:/home/me")
    assert found.work_dir == tmp_path / "work"
    assert found.json_file is not None
    assert found.json_file.is_absolute()
    assert [(str(a), str(b)) for a, b in found.path_map] == [("/data", "/mnt/a:b"), ("/out", "/home/me")]


@pytest.mark.parametrize(("name", "group"), [("pattern", "packet_name"), ("nameformat", "subject_id")])
def test_an_expression_without_its_group_is_wrong_usage(
    settings: Callable[..., Settings], name: str, group: str
) -> None:
    with pytest.raises(UsageError, match=f"--{name} lacks the group {group}"):
        settings(**{name: "(?P<other>.*)"})


def test_the_older_group_name_is_taken_and_said_aloud(folder: Path) -> None:
    asked = parse({"sessionsfolder": str(folder), "pattern": "(?P<session_id>.*)"})
    assert any("session_id" in note for note in asked.notes)


@pytest.mark.parametrize("name", ["pattern", "nameformat", "sessions"])
def test_an_expression_that_does_not_compile_is_shown_with_the_position(
    settings: Callable[..., Settings], name: str
) -> None:
    with pytest.raises(UsageError) as wrong:
        settings(**{name: "AP(?P<packet_name>.*"})
    first, shown, arrow = wrong.value.message.splitlines()
    assert f"--{name}" in first
    assert "position 3" in first
    assert shown.strip() == "AP(?P<packet_name>.*"
    assert arrow.index("^") - shown.index("AP") == 2


def test_folder_mode_needs_sessions_and_takes_globs(settings: Callable[..., Settings]) -> None:
    with pytest.raises(UsageError, match="--sessions"):
        settings(masterinbox="none")
    found = settings(masterinbox="None", sessions="S*,*[")
    assert found.masterinbox is None
    assert found.sessions == ("S*", "*[")


@pytest.mark.parametrize("given", [{"sessionsfolder": "/no/such"}, {"masterinbox": "/no/such"}])
def test_folders_that_are_named_must_be_there(settings: Callable[..., Settings], given: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="/no/such does not exist"):
        settings(**given)


def test_a_file_is_no_sessions_folder(settings: Callable[..., Settings], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is not a folder"):
        settings(sessionsfolder=str(tmp_path / "file"))


def test_a_folder_with_its_own_inbox_is_no_study_folder(folder: Path) -> None:
    (folder / "sessions").mkdir()
    asked = parse({"sessionsfolder": str(folder)})
    assert asked.settings.sessionsfolder == folder
    assert asked.notes == ()


def test_the_validator_switch_of_bids_apps_is_ignored_aloud(folder: Path) -> None:
    asked = parse({"sessionsfolder": str(folder), "skip_bids_validator": "yes"}, bids_app=True)
    assert any("--skip-bids-validator" in note for note in asked.notes)
