"""The label that file names contain for the patient."""

import pytest

from qxbatch.ingest.labels import clean_label, patient_label


@pytest.mark.parametrize(
    ("text", "label"),
    [
        pytest.param("OP386", "OP386", id="plain"),
        pytest.param(" a/b\\c:d ", "a_b_c_d", id="separators"),
        pytest.param("../../etc", "etc", id="parent folders"),
        pytest.param("***", "", id="nothing left"),
        pytest.param("山田^太郎", "", id="no ascii"),
        pytest.param("x" * 300, "x" * 64, id="long"),
    ],
)
def test_a_label_is_safe_in_a_file_name(text: str, label: str) -> None:
    assert clean_label(text) == label


def test_the_session_is_the_label_without_a_patient() -> None:
    assert patient_label("", "OP3_MR1", deidentified=False) == "OP3_MR1"
    assert patient_label("***", "OP3_MR1", deidentified=False) == "OP3_MR1"


def test_the_session_is_the_label_when_a_logfile_names_it() -> None:
    assert patient_label("Doe^Jane", "OP3_MR1", deidentified=True) == "OP3_MR1"
