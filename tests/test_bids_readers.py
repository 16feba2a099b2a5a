"""The BIDS validator and pybids read data sets that were exported from imported DICOM."""

import importlib.util
import json
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import jsonschema
import pytest

from qxbatch.bids.write.validate import find_validator
from qxbatch.problems import UsageError
from tests.build.bids_study import BidsStudy
from tests.build.dicom import MrSeries
from tests.build.packets import under
from tests.build.study import Study, run_main
from tests.test_bids_export import SCHEMA

RULES = """
[[rule]]
match = { name = "t1" }
as = "anat/T1w"
[[rule]]
match = { name = "rest" }
as = "func/task-rest_bold"
set = { PhaseEncodingDirection = "j-" }
[[rule]]
match = { name = "SE_AP" }
as = "fmap/dir-AP_epi"
set = { PhaseEncodingDirection = "j-", TotalReadoutTime = 0.05 }
[[rule]]
match = { name = "SE_PA" }
as = "fmap/dir-PA_epi"
set = { PhaseEncodingDirection = "j", TotalReadoutTime = 0.05 }
"""


def has_validator() -> bool:
    """Return whether the official validator is installed."""
    try:
        find_validator()
    except UsageError:
        return False
    return True


needs_validator = pytest.mark.skipif(not has_validator(), reason="bids-validator-deno is not installed")
needs_pybids = pytest.mark.skipif(importlib.util.find_spec("bids") is None, reason="pybids is not installed")


@pytest.fixture(scope="module")
def imported() -> Iterator[Path]:
    """Import sessions with the real converter, two of one subject and one of another; return their folder."""
    with TemporaryDirectory(prefix="qxbatch-disk-") as folder:
        study = Study(Path(folder))
        for name in ("A_pre", "A_post", "B"):
            series = [
                MrSeries(
                    patient=name, number=number, description=text, time=f"10{number:02}00", volumes=volumes, slices=4
                )
                for number, text, volumes in (
                    (2, "t1", 1),
                    (3, "SE_AP", 1),
                    (4, "SE_PA", 1),
                    (5, "rest", 4),
                    (7, "SE_AP", 1),
                    (8, "SE_PA", 1),
                    (9, "rest", 4),
                )
            ]
            study.put(
                name, {path: data for each in series for path, data in under(str(each.number), each.files()).items()}
            )
        run = study.main(r"--nameformat=(?P<subject_id>[A-Z])(_(?P<session_name>.+))?")
        assert run.status == 0, run.text
        yield study.sessions


@pytest.fixture
def study(imported, disk_path):
    study = BidsStudy(disk_path)
    study.sessions = imported
    study.rules.write_text(RULES)
    return study


@needs_validator
def test_the_official_validator_finds_no_error(study):
    run = study.run("--validate", "--json")
    value = json.loads(run.out)
    jsonschema.validate(value, json.loads(SCHEMA.read_text()))
    assert value["validation"]["errors"] == []
    assert run.status == 0
    assert (study.bids / "sub-A" / "ses-pre" / "func" / "sub-A_ses-pre_task-rest_run-1_bold.nii.gz").is_file()


@needs_validator
@pytest.mark.parametrize(
    "options", [["--intended-for=path"], ["--shift-dates"], ["--sourcedata", "--link=hard"], ["--link=symlink"]]
)
def test_the_official_validator_finds_no_error_with_any_option(study, options, tmp_path):
    if "--shift-dates" in options:
        options = [*options, f"--shift-table={tmp_path / 'shifts.tsv'}"]
    run = study.run("--validate", *options)
    assert "0 errors" in run.out
    assert run.status == 0


@needs_validator
def test_an_error_of_the_validator_is_reported_and_the_exit_status_is_1(study):
    assert study.run().status == 0
    (study.bids / "sub-A" / "ses-pre" / "anat" / "scan.nii.gz").write_bytes(b"x")
    run = study.run("--validate")
    assert run.status == 1
    assert "invalid: /sub-A/ses-pre/anat/scan.nii.gz" in run.out


@needs_validator
def test_the_validator_needs_no_network(study, tmp_path, monkeypatch):
    without_network = ["unshare", "--map-root-user", "--net"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*without_network, "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("this system does not allow network namespaces")
    program = tmp_path / "validator"
    program.write_text(f'#!/bin/sh\nexec {" ".join(without_network)} {shlex.quote(find_validator())} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr("qxbatch.commands.bids_export.find_validator", lambda: str(program))
    run = study.run("--validate")
    assert "0 errors" in run.out, run.text


@needs_pybids
@pytest.mark.filterwarnings("ignore")
def test_pybids_finds_each_file_and_the_field_maps_of_each_run(study):
    from bids import BIDSLayout

    assert study.run("--intended-for=path").status == 0
    layout = BIDSLayout(study.bids, validate=True)
    assert sorted(layout.get_subjects()) == ["A", "B"]
    assert sorted(layout.get_sessions(subject="A")) == ["post", "pre"]
    assert len(layout.get(extension=".nii.gz")) == 3 * 7
    assert layout.get_tasks() == ["rest"]
    for subject, session in (("A", "pre"), ("A", "post"), ("B", None)):
        for run in (1, 2):
            filters = {"subject": subject, "session": session, "run": run, "suffix": "bold", "extension": ".nii.gz"}
            (bold,) = layout.get(**filters)
            field_maps = layout.get_fieldmap(bold.path, return_list=True)
            names = sorted(Path(each["epi"]).name for each in field_maps)
            start = f"sub-{subject}{f'_ses-{session}' if session else ''}"
            assert names == [f"{start}_dir-AP_run-{run}_epi.nii.gz", f"{start}_dir-PA_run-{run}_epi.nii.gz"]
            assert bold.get_metadata()["TaskName"] == "rest"
            assert bold.get_metadata()["B0FieldSource"].endswith(f"pepolar{run}")


def test_a_missing_validator_is_reported_with_the_command_that_installs_it(study, monkeypatch):
    monkeypatch.setattr("qxbatch.bids.write.validate.PROGRAM", "missing-bids-validator")
    run = study.run("--validate")
    assert run.status == 69
    assert "pip install 'qxbatch[bids]'" in run.err
    assert not study.bids.exists()


def test_a_long_message_of_the_validator_is_shortened_but_not_in_json(study, tmp_path, monkeypatch):
    program = tmp_path / "validator"
    issue = {"severity": "error", "code": "X", "location": "/a", "issueMessage": "long " * 100}
    program.write_text(f"#!/bin/sh\necho '{json.dumps({'issues': {'issues': [issue]}})}'\n")
    program.chmod(0o755)
    monkeypatch.setattr("qxbatch.commands.bids_export.find_validator", lambda: str(program))
    run = study.run("--validate")
    assert run.status == 1
    assert 20 < run.out.count("long") < 50
    errors = json.loads(study.run("--validate", "--json").out)["validation"]["errors"]
    assert errors[0]["text"].count("long") == 100


def test_a_validator_without_a_result_is_reported_with_its_message(study, tmp_path, monkeypatch):
    program = tmp_path / "validator"
    program.write_text("#!/bin/sh\necho '\033[31mout of memory\033[0m' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr("qxbatch.commands.bids_export.find_validator", lambda: str(program))
    run = study.run("--validate")
    assert run.status == 69
    assert "gave no result: out of memory." in run.err
    assert "exported to" in run.out, "the export itself is reported"
    assert json.loads(study.run("--validate", "--json").out)["sessions"]


def test_the_study_level_says_whether_each_export_is_up_to_date(tmp_path):
    source = Study(tmp_path)
    for name in ("S1", "S2"):
        source.put(name, MrSeries(patient=name, description="t1").files())
    assert source.main().status == 0
    study = BidsStudy(tmp_path / "bids")
    study.sessions = source.sessions
    study.rules.write_text('[[rule]]\nmatch = { name = "t1" }\nas = "anat/T1w"\n')
    assert export_states(study) == {"S1": "n/a", "S2": "n/a"}
    assert study.run("--sessions=S1").status == 0
    assert export_states(study) == {"S1": "up to date", "S2": "not exported"}
    assert study.run().status == 0
    source.put("S2", MrSeries(patient="S2", description="t1", slices=5).files())
    assert source.main("--overwrite").status == 0
    assert export_states(study) == {"S1": "up to date", "S2": "changed since"}
    page = (study.sessions / "report.html").read_text()
    assert "changed since" in page
    assert str(study.bids) in page
    study.rules.write_text('[[rule]]\nmatch = { name = "t1" }\nas = "anat/acq-x_T1w"\n')
    assert run_main(str(source.inbox), str(study.sessions), "group").status == 0
    assert export_states(study) == {"S1": "rules changed", "S2": "rules changed"}
    assert run_main("report", str(study.sessions)).status == 0
    assert export_states(study) == {"S1": "rules changed", "S2": "rules changed"}


def test_an_export_with_a_link_to_a_rule_file_is_recorded(tmp_path):
    source = Study(tmp_path)
    source.put("S1", MrSeries(description="t1").files())
    assert source.main().status == 0
    study = BidsStudy(tmp_path / "bids")
    study.sessions = source.sessions
    rules = tmp_path / "lab.toml"
    rules.write_text('[[rule]]\nmatch = { name = "t1" }\nas = "anat/T1w"\n')
    study.rules.unlink(missing_ok=True)
    study.rules.symlink_to(rules)
    run = study.run()
    assert (run.status, run.err) == (0, "")
    assert export_states(study) == {"S1": "up to date"}


def export_states(study: BidsStudy) -> dict[str, str]:
    """Return the column `bids` of study.tsv by session."""
    head, *rows = [line.split("\t") for line in (study.sessions / "study.tsv").read_text().splitlines()]
    return {row[0]: row[head.index("bids")] for row in rows}


@needs_validator
def test_the_study_page_shows_the_result_of_the_validator(study):
    assert study.run("--validate").status == 0
    assert "0 errors" in (study.sessions / "report.html").read_text()
    exports = {each["path"]: each for each in json.loads((study.sessions / "study.json").read_text())["bids"]}
    assert exports[str(study.bids)]["validation"]["errors"] == 0
    assert exports[str(study.bids)]["rules"] == str(study.rules)
    study.change_rules("task-rest", "task-open")
    assert study.run().status == 0
    (after,) = (
        each
        for each in json.loads((study.sessions / "study.json").read_text())["bids"]
        if each["path"] == str(study.bids)
    )
    assert "validation" not in after, "the validated files have changed"
