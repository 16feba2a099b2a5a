"""The published JSON schemas match the files that imports write."""

import json
from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from qxbatch.acquisition import Acquisition, ImageKind, Orientation, SeriesVerdict
from qxbatch.model import SeriesKind, State, Verdict
from qxbatch.problems import Severity
from qxbatch.session.ledger import Fate
from qxbatch.session.summary import SCHEMA
from tests.build.dicom import MrSeries
from tests.build.packets import read_tree, under
from tests.build.split_scans import by_volume
from tests.build.study import Study
from tests.test_session_summary import full_summary

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "schema"
SESSION, RUN = f"session-summary-{SCHEMA}.json", "run-summary-1.json"
T1 = MrSeries(number=3, description="T1w")


def schema(name: str) -> dict[str, Any]:
    """Return a published schema."""
    content: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return content


def check(name: str, content: object) -> None:
    """Raise ValidationError if a document does not match its schema."""
    jsonschema.Draft202012Validator(schema(name)).validate(content)


def import_and_check(study: Study, *args: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Run an import and check its JSON files; return the summaries of the run and of the sessions."""
    json_file = study.sessions / "run.json"
    study.main(f"--json-file={json_file}", *args)
    run = json.loads(json_file.read_bytes())
    check(RUN, run)
    paths = [study.session(name) / "qxbatch" / "summary.json" for name in study.session_names()]
    summaries = [json.loads(path.read_bytes()) for path in paths]
    for summary in summaries:
        check(SESSION, summary)
    return run, summaries


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.name)
def test_a_schema_is_valid_and_contains_its_name(path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(path.name))
    assert schema(path.name)["$id"] == path.name


def test_the_summary_of_an_import_matches_the_schema(study: Study) -> None:
    without_patient = MrSeries(number=None, patient="", time="110000")
    study.put(
        "S1", {**T1.files(), **under("b", without_patient.files()), **under("copy", T1.files()), "notes.txt": b"n"}
    )
    run, [summary] = import_and_check(study)
    assert run["exit_status"] == 0
    assert len(summary["series"]) == 2
    assert {"sorted", "kept", "duplicate"} <= set(summary["ledger"]["fates"])


def test_joined_series_and_split_sessions_match_the_schema(study: Study) -> None:
    other = MrSeries(number=4, patient="P002")
    study.put("S1", {**T1.files(), **under("other", other.files())})
    study.put("S2", by_volume(MrSeries(number=5, volumes=4)))
    _, summaries = import_and_check(study, "--on-mixed=split")
    assert ["parted" in summary for summary in summaries] == [True, True, False]
    assert [len(series["series_uids"]) for series in summaries[2]["series"]] == [4]


def test_a_run_with_refused_packets_and_strays_matches_the_schema(study: Study) -> None:
    study.put("S1", {"notes.txt": b"no image"})
    study.put("S2.x", {**T1.files()})
    study.put_bytes("stray.txt", b"x")
    run, summaries = import_and_check(study)
    assert (run["exit_status"], len(summaries)) == (1, 1)
    assert any(session["failed"] for session in run["sessions"])


@pytest.mark.data
@pytest.mark.parametrize("name", ["dcm_qa_nih", "nibabel_parrec", "pydicom_testfiles"])
def test_the_summary_of_real_scans_matches_the_schema(name: str, study: Study, data: Path) -> None:
    study.put(name, read_tree(data / name))
    _, [summary] = import_and_check(study, "--on-mixed=merge")
    assert summary["images"]


def test_every_field_of_the_summary_is_in_the_schema() -> None:
    check(SESSION, json.loads(full_summary().to_json()))
    published = schema(SESSION)["$defs"]["acquisition"]["properties"]
    assert list(published) == [field.name for field in fields(Acquisition)]


@pytest.mark.parametrize(
    ("kind", "definition_and_field"),
    [
        (SeriesKind, "series.kind"),
        (State, "series.state"),
        (SeriesVerdict, "series.verdict"),
        (Severity, "problem.severity"),
        (Orientation, "acquisition.orientation"),
    ],
)
def test_the_enums_of_the_schema_equal_those_of_the_program(kind: type[StrEnum], definition_and_field: str) -> None:
    definition, field = definition_and_field.split(".")
    assert schema(SESSION)["$defs"][definition]["properties"][field]["enum"] == list(kind)


def test_the_other_values_of_the_schemas_equal_those_of_the_program() -> None:
    summary, run = schema(SESSION), schema(RUN)
    assert summary["$defs"]["acquisition"]["properties"]["kinds"]["items"]["enum"] == list(ImageKind)
    assert list(summary["properties"]["ledger"]["properties"]["fates"]["properties"]) == list(Fate)
    assert run["properties"]["found"]["items"]["properties"]["verdict"]["enum"] == list(Verdict)
    assert summary["$defs"]["problem"] == run["$defs"]["problem"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda summary: summary.pop("session"),
        lambda summary: summary.update(schema=1),
        lambda summary: summary.update(extra=1),
        lambda summary: summary["series"][0].update(state="done"),
        lambda summary: summary["series"][0]["acquisition"].update(matrix=[1, 2]),
        lambda summary: summary["images"][0]["sums"]["nii/31.json"].update(sha256="x"),
    ],
)
def test_a_document_that_does_not_match_is_refused(damage) -> None:
    content = json.loads(full_summary().to_json())
    damage(content)
    with pytest.raises(jsonschema.ValidationError):
        check(SESSION, content)
