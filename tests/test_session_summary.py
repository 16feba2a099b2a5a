"""The typed summary: it is read back as written, older schemas load, and errors give the reason."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qxbatch.acquisition import Acquisition, ImageKind, Orientation, SeriesVerdict
from qxbatch.model import SeriesKind, State, Value
from qxbatch.problems import Code, Problem, Severity
from qxbatch.record.summary import recorded_fields
from qxbatch.session.summary import SCHEMA, NewerSchemaError, Summary, SummaryError
from qxbatch.session.summary_parts import (
    ImageStatistics,
    ImageSummary,
    LedgerCounts,
    PacketSummary,
    SeriesSummary,
    SessionIdentity,
    Split,
)

PATH = Path("/study/sessions/S1/qxbatch/summary.json")
SCHEMA_1 = r"""{
 "converters": {"dcm2niix": "1.0.20260724"},
 "host": {"name": "scanhost", "system": "Linux"},
 "images": [
  {"files": ["nii/31.nii.gz", "nii/31.json"], "info": {"TR": "2"}, "k": 1, "name": "T1w", "number": 31, "of": 1,
   "series": 30, "shape": [8, 6, 3]}
 ],
 "ledger": {"fates": {"kept": 1, "sorted": 3}, "rows": 4},
 "numbers": {"100030": 30},
 "packets": [{"files": 1, "name": "S1.zip", "sha256": "", "size": 2961}],
 "problems": [
  {"code": "duplicates", "hint": "", "message": "1 file occurs more than once.", "severity": "warning",
   "subject": "series 30"}
 ],
 "qxbatch": "0.1.0",
 "schema": 1,
 "series": [
  {"files": 3, "header": {"EchoTime": 4.0, "ImageType": ["ORIGINAL", "PRIMARY"], "SeriesDescription": "T1w",
   "SeriesNumber": 3}, "images": [31], "kind": "dicom", "n": 30, "problems": [], "size": 2898, "state": "converted",
   "tool": "dcm2niix 1.0.20260724"}
 ],
 "session": {"id": "S1", "patient": "P001", "session": null, "subject": "S1"},
 "times": {"seconds": 0.412}
}
"""
"""A summary of schema 1, without checksums of images and without `concealed`."""


def test_a_summary_of_schema_1_loads_with_defaults_for_missing_fields() -> None:
    summary = Summary.from_json(SCHEMA_1, PATH)
    assert summary.schema == 1
    assert summary.session == SessionIdentity("S1", "S1", None, "P001", deidentified=False)
    [series], [image] = summary.series, summary.images
    assert (series.n, series.kind, series.state) == (30, SeriesKind.DICOM, State.CONVERTED)
    assert series.header["ImageType"] == ["ORIGINAL", "PRIMARY"]
    assert (series.verdict, series.acquisition, series.series_uids) == (None, None, ())
    assert (image.number, image.shape, image.sums) == (31, (8, 6, 3), None)
    assert summary.problems == (
        Problem(Code.DUPLICATES, "series 30", "1 file occurs more than once.", "", Severity.WARNING),
    )
    assert (summary.numbers, summary.split, summary.ledger.rows) == ({100030: 30}, None, 4)


def test_an_old_summary_is_written_in_the_current_schema_without_loss() -> None:
    old, new = json.loads(SCHEMA_1), json.loads(Summary.from_json(SCHEMA_1, PATH).to_json())
    assert new == {**old, "schema": SCHEMA, "session": {**old["session"], "concealed": False}}


def test_the_error_for_a_newer_schema_has_path_and_versions() -> None:
    newer = json.dumps({**json.loads(SCHEMA_1), "schema": SCHEMA + 1})
    with pytest.raises(NewerSchemaError, match=rf"{PATH}: has schema {SCHEMA + 1}, .* reads up to {SCHEMA}\."):
        Summary.from_json(newer, PATH)


@pytest.mark.parametrize(
    ("keys", "value", "why"),
    [
        (("schema",), "2", "schema is not a whole number"),
        (("session",), [], "session is not an object"),
        (("series", 0, "files"), True, "series[0].files is not a whole number"),
        (("series", 0, "state"), "done", "series[0].state has the unknown value 'done'"),
        (("series", 0, "header"), {"EchoTime": {}}, "series[0].header.EchoTime is neither a text nor a number"),
        (("series", 0, "header"), {"ImageType": [None]}, "series[0].header.ImageType is neither a text nor a number"),
        (("series", 0, "header"), {"SeriesNumber": [10**400]}, "series[0].header.SeriesNumber is not a whole number"),
        (("series", 0, "acquisition"), {"b_values": [[0, 0]]}, "series[0].acquisition.b_values has the count 0"),
        (("series", 0, "acquisition"), {"matrix": [64, 64]}, "series[0].acquisition.matrix has 2 numbers, not 3"),
        (
            ("series", 0, "acquisition"),
            {"matrix": [10**400, 64, 1]},
            "series[0].acquisition.matrix is not a whole number",
        ),
        (("series", 0, "verdict"), "fine", "series[0].verdict has the unknown value 'fine'"),
        (("problems", 0, "code"), "no-such", "problems[0].code has the unknown value 'no-such'"),
        (("images", 0, "files"), [1], "images[0].files is not a list of texts"),
        (("numbers",), {"x": 1}, "numbers has the key 'x', which is not a number"),
    ],
)
def test_the_error_names_the_damaged_field(keys: tuple[str | int, ...], value: object, why: str) -> None:
    content: Any = json.loads(SCHEMA_1)
    inner = content
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    with pytest.raises(SummaryError) as caught:
        Summary.from_json(json.dumps(content), PATH)
    assert str(caught.value) == f"{PATH}: cannot be read ({why})"


@pytest.mark.parametrize("key", ["schema", "qxbatch", "session", "series", "images", "packets", "ledger", "problems"])
def test_a_missing_required_field_is_an_error(key: str) -> None:
    content = json.loads(SCHEMA_1)
    del content[key]
    with pytest.raises(SummaryError, match=f"{key} is missing"):
        Summary.from_json(json.dumps(content), PATH)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 100_000, b"\xff"])
def test_the_error_for_invalid_json_names_the_path(text: str | bytes) -> None:
    with pytest.raises(SummaryError, match=str(PATH)):
        Summary.from_json(text, PATH)


def test_unknown_facts_are_not_in_the_json() -> None:
    [series] = Summary.from_json(SCHEMA_1, PATH).series
    facts = Acquisition(tr_ms=2000.0, te_ms=(4.0, 8.0), matrix=(64, 64, 30))
    summary = replace(Summary.from_json(SCHEMA_1, PATH), series=(replace(series, acquisition=facts),))
    [written] = json.loads(summary.to_json())["series"]
    assert written["acquisition"] == {"tr_ms": 2000.0, "te_ms": [4.0, 8.0], "matrix": [64, 64, 30]}
    assert "verdict" not in written


FULL = Acquisition(
    started="2024-01-15T10:15:00",
    ended="2024-01-15T10:20:00.5",
    duration_s=300.5,
    planned_volumes=150,
    acquired_volumes=149,
    complete_volumes=148,
    partial_slices=7,
    slices_per_volume=30,
    missing_slices=1,
    duplicate_slices=0,
    tr_ms=2000.0,
    observed_tr_ms=2000.1,
    te_ms=(30.0,),
    ti_ms=900.0,
    flip_angle_deg=90.0,
    matrix=(64, 64, 30),
    fov_mm=(192.0, 192.0, 120.0),
    voxel_mm=(3.0, 3.0, 4.0),
    slice_gap_mm=1.0,
    orientation=Orientation.AXIAL,
    phase_encoding_direction="j-",
    phase_encoding_axis="j",
    in_plane_acceleration=2.0,
    multiband_factor=4,
    partial_fourier=0.75,
    effective_echo_spacing_s=0.0005,
    total_readout_time_s=0.03,
    pixel_bandwidth_hz=2000.0,
    b_values=((0.0, 1), (1000.0, 30)),
    directions=30,
    kinds=(ImageKind.MAGNITUDE, ImageKind.PHASE),
    sequence_name="epfid2d1_64",
    field_strength_t=3.0,
    coil="Head_32",
    software="syngo MR E11",
)


def test_the_stored_header_fields_are_those_that_have_a_value_and_name_no_patient() -> None:
    header: dict[str, Value] = {
        "SeriesDescription": "T1w",
        "EchoTime": 4.0,
        "ImageType": ["A", "B"],
        "FlipAngle": None,
        "PatientName": "Doe^Jane",
    }
    assert recorded_fields(header) == {"SeriesDescription": "T1w", "EchoTime": 4.0, "ImageType": ["A", "B"]}


def full_summary() -> Summary:
    """Return a summary in which every field has a value."""
    problem = Problem(Code.CONVERT_NOTE, "series 30", "is noted.", "Look.", Severity.INFO)
    header = {"EchoTime": 4.0, "ImageType": ["A"], "Rows": 8}
    series = SeriesSummary(
        30,
        SeriesKind.DICOM,
        3,
        99,
        header,  # type: ignore[arg-type] # a value is a text, a number or a list of them
        State.CONVERTED,
        "dcm2niix 1",
        (31,),
        (problem,),
        ("1.2", "1.3"),
        ("1", "2"),
        SeriesVerdict.COMPLETE,
        FULL,
    )
    files = ("nii/31.nii.gz", "nii/31.json")
    statistics = ImageStatistics(61.5, 90.0, 2, tuple(800.0 + volume for volume in range(12)))
    sums = dict.fromkeys(files, (9, "a" * 64))
    image = ImageSummary(31, 30, 1, 1, "T1w", {"TR": "2"}, (8, 6, 3, 12), files, sums, statistics)
    return Summary(
        qxbatch="0.2.0",
        session=SessionIdentity("S1_a", "S1", "a", "P001", deidentified=True),
        packets=(PacketSummary("S1.zip", 1, 99),),
        series=(series,),
        images=(image,),
        ledger=LedgerCounts(4, {"sorted": 4}),
        problems=(problem,),
        converters={"dcm2niix": "1"},
        numbers={100030: 30},
        split=Split("S1", {"S1-1": "P001"}),
        times={"seconds": 1.5},
        host={"name": "a"},
        command="qxbatch /study --sessions=S1",
    )


def test_the_full_summary_sets_every_field() -> None:
    assert [field.name for field in fields(Acquisition) if getattr(FULL, field.name) is None] == []
    assert [field.name for field in fields(SeriesSummary) if not getattr(full_summary().series[0], field.name)] == []


def test_a_summary_is_read_back_as_written() -> None:
    assert Summary.from_json(full_summary().to_json(), PATH) == full_summary()


@given(st.text(), st.text(), st.lists(st.text()), st.integers(min_value=0))
def test_any_text_is_read_back(name: str, description: str, types: list[str], size: int) -> None:
    summary = full_summary()
    series = replace(summary.series[0], header={"SeriesDescription": description, "ImageType": types}, size=size)
    changed = replace(summary, packets=(PacketSummary(name, 1, 2),), series=(series,))
    assert Summary.from_json(changed.to_json(), PATH) == changed
