"""Commands and options in messages stay valid, whatever a patient's id or name is."""

import pytest

from qxbatch.deidentify import redaction
from qxbatch.problems import Code, Problem
from qxbatch.record.redacted import redacted_problem

HEADERS = {
    "id": [{"PatientID": "yes", "PatientName": "Doe^Jane"}, {"PatientID": "overwrite", "PatientName": ""}],
    "name": [
        {"PatientID": "series", "PatientName": "Convert^Mixed"},
        {"PatientID": "split", "PatientName": "Doe^Jane"},
    ],
}
HINT = "Rename Doe_Jane, use --overwrite=yes or --on-mixed=split, or run `qxbatch convert /in/Doe`."
COMMAND = "qxbatch convert '/data/my study' --overwrite=yes --on-mixed=split --sessions=S1"


@pytest.mark.parametrize("headers", HEADERS)
def test_commands_and_options_of_a_problem_stay(headers: str) -> None:
    problem = Problem(Code.EXISTS, "series 20", "exists; --overwrite=yes replaces it.", HINT, command=COMMAND)
    redacted = redacted_problem(problem, redaction(HEADERS[headers], "S1"))
    assert redacted.subject == "series 20"
    assert redacted.message == problem.message
    assert redacted.hint == HINT.replace("Doe_Jane", "S1").replace("Doe", "S1")
    assert redacted.command == COMMAND


@pytest.mark.parametrize(
    "value", ["--masterinbox=/in/Doe", "--overwrite=yes_Doe", "--overwrite-Doe", "/in/qxbatch Doe/x"]
)
def test_a_name_beside_them_is_replaced(value: str) -> None:
    problem = Problem(Code.EXISTS, "Doe.zip", f"is {value}", command=f"qxbatch {value}")
    redacted = redacted_problem(problem, redaction(HEADERS["id"], "S1"))
    assert redacted.subject == "S1.zip"
    assert "Doe" not in redacted.message
    assert redacted.command == ""
