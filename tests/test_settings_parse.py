"""Raw parameters become typed settings or a usage error that names the choices."""

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
    """Return a function that gives the settings for these parameters."""
    return lambda **given: parse({"sessionsfolder": str(folder), **given}).settings


def test_defaults_are_as_documented(
    settings: Callable[..., Settings], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpus, "usable_cpus", lambda: 3)
    parsed = settings()
    assert parsed.masterinbox == folder / "inbox/MR"
    assert parsed.archive_folder == folder / "archive/MR"
    assert (parsed.archive, parsed.check, parsed.gzip, parsed.tool) == (Archive.MOVE, Check.ANY, Gzip.FOLDER, Tool.AUTO)
    assert (parsed.parelements, parsed.n_procs, parsed.mem, parsed.timeout) == (1, 3, None, None)
    assert (parsed.add_image_type, parsed.add_json_info) == (0, ())
    assert (parsed.unzip, parsed.verbose, parsed.overwrite, parsed.test, parsed.quiet) == (
        True,
        True,
        False,
        False,
        False,
    )
    assert (parsed.on_mixed, parsed.on_same_session) == (OnMixed.REJECT, OnSameSession.REJECT)
    assert parsed.join_series is JoinSeries.AUTO
    assert parsed.on_damaged is OnDamaged.REFUSE
    assert parsed.fallback is None
    assert parsed.logfile is None


def test_every_choice_of_every_parameter_is_accepted(settings: Callable[..., Settings]) -> None:
    for parameter in PARAMETERS:
        for choice in parameter.choices:
            settings(**{parameter.name: choice})


WITH_CHOICES = [each for each in PARAMETERS if each.choices]


def test_a_choice_of_another_parameter_is_refused(settings: Callable[..., Settings]) -> None:
    with pytest.raises(UsageError, match="--fallback=auto is not known"):
        settings(fallback="auto")


@pytest.mark.parametrize("parameter", WITH_CHOICES, ids=lambda each: each.name)
@pytest.mark.parametrize("value", ["perhaps", ""])
def test_the_error_for_an_unknown_value_names_the_choices(
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
def test_an_invalid_number_or_list_is_a_usage_error(settings: Callable[..., Settings], name: str, value: str) -> None:
    with pytest.raises(UsageError) as wrong:
        settings(**{name: value})
    assert "--" + name.replace("_", "-") in wrong.value.message
    assert wrong.value.status == 64
    assert wrong.value.hint


def test_the_error_for_an_unknown_json_field_lists_the_known_fields(settings: Callable[..., Settings]) -> None:
    with pytest.raises(UsageError, match="Flip") as wrong:
        settings(add_json_info="TR,Flip")
    assert all(field in wrong.value.hint for field in JSON_FIELDS)


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        ("", ()),
        ("all", JSON_FIELDS),
        ("ALL", JSON_FIELDS),
        ("DwellTime,TR", ("TR", "DwellTime")),
        ("tr, pedirection", ("TR", "PEDirection")),
    ],
)
def test_json_fields_have_the_order_of_session_txt(
    settings: Callable[..., Settings], value: str, fields: tuple[str, ...]
) -> None:
    assert settings(add_json_info=value).add_json_info == fields


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
def test_sizes_can_have_units(settings: Callable[..., Settings], size: str, count: int) -> None:
    assert settings(mem=size).mem == count


@pytest.mark.parametrize("option", ["mem", "max_total"])
@pytest.mark.parametrize("size", ["9" * 400, "9999999999T", "8388608T"])
def test_a_size_beyond_64_bits_is_refused(settings: Callable[..., Settings], option: str, size: str) -> None:
    with pytest.raises(UsageError, match="is too large"):
        settings(**{option: size})


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
def test_the_number_of_converters_is_at_most_that_of_processes(
    settings: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
    parelements: str,
    n_procs: str,
    expected: tuple[int, int],
) -> None:
    monkeypatch.setattr(cpus, "usable_cpus", lambda: 4)
    parsed = settings(parelements=parelements, n_procs=n_procs)
    assert (parsed.parelements, parsed.n_procs) == expected


def test_paths_become_absolute_and_path_maps_are_parsed(
    settings: Callable[..., Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    parsed = settings(work_dir="work", json_file="../run.json", path_map="/data=/mnt/a:b,/out:/home/me")
    assert parsed.work_dir == tmp_path / "work"
    assert parsed.json_file is not None
    assert parsed.json_file.is_absolute()
    assert [(str(a), str(b)) for a, b in parsed.path_map] == [("/data", "/mnt/a:b"), ("/out", "/home/me")]


@pytest.mark.parametrize(("name", "group"), [("pattern", "packet_name"), ("nameformat", "subject_id")])
def test_an_expression_without_its_group_is_a_usage_error(
    settings: Callable[..., Settings], name: str, group: str
) -> None:
    with pytest.raises(UsageError, match=f"--{name} lacks the group {group}"):
        settings(**{name: "(?P<other>.*)"})


def test_the_older_group_name_is_accepted_with_a_note(folder: Path) -> None:
    parsed = parse({"sessionsfolder": str(folder), "pattern": "(?P<session_id>.*)"})
    assert any("session_id" in note for note in parsed.notes)


@pytest.mark.parametrize("name", ["pattern", "nameformat", "sessions"])
def test_the_error_for_an_invalid_expression_has_the_position(settings: Callable[..., Settings], name: str) -> None:
    with pytest.raises(UsageError) as wrong:
        settings(**{name: "AP(?P<packet_name>.*"})
    first, expression, arrow = wrong.value.message.splitlines()
    assert f"--{name}" in first
    assert "position 3" in first
    assert expression.strip() == "AP(?P<packet_name>.*"
    assert arrow.index("^") - expression.index("AP") == 2


def test_folder_mode_needs_sessions_and_accepts_globs(settings: Callable[..., Settings]) -> None:
    with pytest.raises(UsageError, match="--sessions"):
        settings(masterinbox="none")
    parsed = settings(masterinbox="None", sessions="S*,*[")
    assert parsed.masterinbox is None
    assert parsed.sessions == ("S*", "*[")


@pytest.mark.parametrize("given", [{"sessionsfolder": "/no/such"}, {"masterinbox": "/no/such"}])
def test_folders_of_parameters_must_exist(settings: Callable[..., Settings], given: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="/no/such does not exist"):
        settings(**given)


def test_a_file_is_no_sessions_folder(settings: Callable[..., Settings], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is not a folder"):
        settings(sessionsfolder=str(tmp_path / "file"))


def test_a_folder_with_its_own_inbox_is_no_study_folder(folder: Path) -> None:
    (folder / "sessions").mkdir()
    parsed = parse({"sessionsfolder": str(folder)})
    assert parsed.settings.sessionsfolder == folder
    assert parsed.notes == ()


def test_skip_bids_validator_is_ignored_with_a_note(folder: Path) -> None:
    parsed = parse({"sessionsfolder": str(folder), "skip_bids_validator": "yes"}, bids_app=True)
    assert any("--skip-bids-validator" in note for note in parsed.notes)


def test_an_enormous_number_of_processes_is_limited(settings: Callable[..., Settings]) -> None:
    parsed = settings(parelements="100000000", n_procs="100000000")
    assert (parsed.parelements, parsed.n_procs) == (1024, 1024)
