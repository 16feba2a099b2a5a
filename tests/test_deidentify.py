"""Patients' ids and names are words as headers and file names write them; what only looks alike stays."""

import pytest

from qxbatch.deidentify import redacted_header, redaction, unchanged
from qxbatch.model import Value

HEADERS = [{"PatientID": "AP 4:1", "PatientName": "Doe^Jane"}, {"PatientID": "x", "PatientName": ""}]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Doe^Jane", "S1"),
        ("/in/DOE_JANE.zip", "/in/S1.zip"),
        ("jane doe, 4", "S1, 4"),
        ("Doe,Jane", "S1"),
        ("DoeJane", "S1"),
        ("AP 4:1-30", "S1-30"),
        ("ap_4:1_2", "S1_2"),
        ("Doe_Janet", "S1_Janet"),
        ("Joe^Jane", "Joe^S1"),
        ("Does Janet", "Does Janet"),
        ("x", "x"),
        ("Doe", "S1"),
    ],
)
def test_a_name_in_any_form_is_the_session_id(text: str, told: str) -> None:
    assert redaction(HEADERS, "S1")(text) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Found 301 DICOM file(s)", "Found 301 DICOM file(s)"),
        ("0.301 seconds", "0.301 seconds"),
        ("1.2.301.4", "1.2.301.4"),
        ("/in/301/a", "/in/S1/a"),
        ("patient 301.", "patient S1."),
        ("3012", "3012"),
    ],
)
def test_a_number_that_is_an_id_stays_where_it_is_a_number(text: str, told: str) -> None:
    assert redaction([{"PatientID": "301"}], "S1")(text) == told


def test_without_identities_nothing_is_hidden() -> None:
    assert redaction([{"PatientID": None}, {"PatientID": "a"}, {"PatientName": "Anonymous"}], "S1") is unchanged


def test_only_free_text_of_a_header_is_touched() -> None:
    header: dict[str, Value] = {
        "SeriesDescription": "for Doe Jane",
        "SeriesInstanceUID": "1.301",
        "PatientID": "301",
        "RepetitionTime": 301.0,
    }
    hide = redaction([{"PatientID": "301", "PatientName": "Doe^Jane"}], "S1")
    assert redacted_header(header, hide) == {**header, "SeriesDescription": "for S1"}


def test_a_backslash_in_the_session_id_is_itself() -> None:
    assert redaction([{"PatientID": "P001"}], r"S\1")("P001") == r"S\1"
