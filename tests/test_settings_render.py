"""README, docs and descriptors agree with the parameters of the program."""

from pathlib import Path

import pytest

from qxbatch.settings.parameters import PARAMETERS
from qxbatch.settings.render import documents, with_table

REPOSITORY = Path(__file__).resolve().parent.parent
REFERENCE = [
    "existing_structure",
    "clean_dicom_folders",
    "sessionsfolder",
    "sessions",
    "masterinbox",
    "check",
    "pattern",
    "nameformat",
    "tool",
    "parelements",
    "logfile",
    "archive",
    "add_image_type",
    "add_json_info",
    "unzip",
    "gzip",
    "verbose",
    "overwrite",
    "test",
]
"""The parameters of QuNex's import_dicom, with which docs/parameters.md compares ours."""


@pytest.mark.parametrize(
    "name", ["README.md", "docs/parameters.md", "containers/boutiques.json", "containers/command.json"]
)
def test_tables_and_descriptors_are_up_to_date(name: str) -> None:
    expected = documents(REPOSITORY)[REPOSITORY / name]
    assert (REPOSITORY / name).read_text() == expected, "run .venv/bin/python -m qxbatch.settings.render"


def test_every_parameter_of_the_reference_exists_and_is_compared() -> None:
    compared = {each.name for each in PARAMETERS if each.reference}
    assert compared == set(REFERENCE)


def test_every_row_of_a_table_has_the_columns_of_its_header() -> None:
    for text in documents(REPOSITORY).values():
        columns = 0
        for line in text.splitlines():
            bars = line.replace("\\|", "").count("|")
            assert not line.startswith("| ") or columns in (0, bars), line
            columns = bars if line.startswith("|") else 0


def test_a_document_without_markers_is_an_error() -> None:
    with pytest.raises(ValueError, match="parameters"):
        with_table("no table", "| |")
