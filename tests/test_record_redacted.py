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


def test_a_hint_without_its_command_says_which_options_to_add() -> None:
    command = "qxbatch /in/Doe --sessions=S1 --logfile=path:/in/Doe.csv --on-damaged=keep"
    problem = Problem(Code.DAMAGED, "S1.zip", "is damaged.", "Or import what can be read:", command=command)
    redacted = redacted_problem(problem, redaction(HEADERS["id"], "S1"))
    assert redacted.command == ""
    assert redacted.hint == (
        "Or import what can be read. The command is not printed, since it may name a patient; repeat the command of this run "
        "with --sessions=S1 --on-damaged=keep."
    )


def test_a_hint_without_several_commands_ends_with_a_sentence() -> None:
    command = "mv /in/Doe /in/x && qxbatch /in --sessions=S1"
    problem = Problem(Code.BAD_NAME, "S1.zip", "is wrong.", "Rename it:", command=command)
    hint = redacted_problem(problem, redaction(HEADERS["id"], "S1")).hint
    assert hint == "Rename it. The command is not printed, since it may name a patient."
