"""Sessions whose dates changed are not taken for sessions that another table of date shifts shifted."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from qxbatch.core import hash_file
from qxbatch.textfile import create_text
from tests.build.bids import Scan
from tests.build.bids_study import BidsStudy
from tests.build.study import run_main

SCANS_TSV = "sub-S1/sub-S1_scans.tsv"


@pytest.fixture
def study(tmp_path: Path) -> BidsStudy:
    return BidsStudy(tmp_path)


def time_of(study: BidsStudy, image: str) -> str:
    """Return the time of an image of S1."""
    lines = study.tree()[SCANS_TSV].decode().splitlines()[1:]
    return dict(line.split("\t") for line in lines)[image]


def add_hashes(study: BidsStudy, session: str) -> None:
    """Write the hashes of the images into the summary of a session, as an import does."""
    path = study.sessions / session / "qxbatch" / "summary.json"
    summary = json.loads(path.read_text())
    for image in summary["images"]:
        file = f"nii/{image['number']}.nii.gz"
        size, digest = hash_file(str(study.sessions / session / file))
        image["sums"] = {file: {"size": size, "sha256": digest}}
    path.write_text(json.dumps(summary))


def test_earlier_series_move_a_session_to_the_next_day(study: BidsStudy) -> None:
    """All headers have one date, and the series before midnight were imported later."""
    after_midnight = Scan(5, "rest", "00:30:00", volumes=3)
    study.add("S1", after_midnight)
    assert study.run("--shift-dates").status == 0
    study.add("S1", Scan(2, "t1", "23:30:00"), after_midnight)
    assert study.run("--shift-dates").status == 0
    image, run = (time_of(study, name) for name in ("anat/sub-S1_T1w.nii.gz", "func/sub-S1_task-rest_bold.nii.gz"))
    assert image < run
    assert study.run("--shift-dates").status == 0


def test_a_replaced_session_without_times_of_day_has_another_date(study: BidsStudy) -> None:
    study.add("S1", Scan(2, "t1", "00:00:00"))
    assert study.run("--shift-dates").status == 0
    before = time_of(study, "anat/sub-S1_T1w.nii.gz")
    replacement = Scan(2, "t1", "00:00:00", shape=(5, 4, 3), facts={"started": "2024-07-01T00:00:00"})
    study.add("S1", replacement)
    add_hashes(study, "S1")
    assert study.run("--shift-dates").status == 0
    assert time_of(study, "anat/sub-S1_T1w.nii.gz") > before


def test_an_unchanged_image_without_a_time_of_day_shows_that_the_table_is_another_one(study: BidsStudy) -> None:
    study.add("S1", Scan(2, "t1", "00:00:00"))
    add_hashes(study, "S1")
    assert study.run("--shift-dates").status == 0
    (study.sessions / "bids-date-shifts.tsv").write_text("participant_id\tdays\nS1\t50000\n")
    run = study.run("--shift-dates")
    assert run.status == 64
    assert "The dates of session S1" in " ".join(run.err.split())


def test_the_export_of_one_session_uses_the_table_of_its_sessions_folder(study: BidsStudy) -> None:
    for session in ("S1", "S2"):
        study.add(session, Scan(2, "t1", "08:00:00"))
    run = run_main("bids", str(study.sessions / "S1"), *study.words[2:], "--shift-dates")
    assert run.status == 0, run.text
    table = (study.sessions / "bids-date-shifts.tsv").read_text()
    assert [line.split("\t")[0] for line in table.splitlines()] == ["participant_id", "S1"]
    assert study.run("--shift-dates").status == 0
    assert (study.sessions / "bids-date-shifts.tsv").read_text().startswith(table)


@pytest.mark.parametrize("is_first_export", [True, False])
def test_rows_that_another_program_saves_during_the_export_stay(
    study: BidsStudy, monkeypatch: pytest.MonkeyPatch, *, is_first_export: bool
) -> None:
    table = study.sessions / "bids-date-shifts.tsv"
    study.add("S1")
    if not is_first_export:
        assert study.run("--shift-dates").status == 0
        study.add("S2")
    rows = table.read_text() if table.exists() else "participant_id\tdays\n"
    tree = study.tree()

    @contextlib.contextmanager
    def create_and_edit(path: Path, mode: int) -> Iterator[TextIO]:
        with create_text(path, mode) as file:
            yield file
        if "bids-date-shifts" in path.name:
            table.write_text(f"{rows}Other\t50000\n")

    with monkeypatch.context() as patch:
        patch.setattr("qxbatch.publish.durable.create_text", create_and_edit)
        run = study.run("--shift-dates")
    assert run.status == 75
    assert "changed the table of date shifts" in " ".join(run.err.split())
    assert table.read_text() == f"{rows}Other\t50000\n"
    assert study.tree() == tree
    assert study.run("--shift-dates").status == 0
    assert "Other\t50000\n" in table.read_text()
    assert [path.name for path in study.sessions.iterdir() if path.name.startswith(".")] == [".qxbatch"]
