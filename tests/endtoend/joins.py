"""A scan that exporters split, and the result of an import."""

import json
from collections.abc import Mapping
from typing import Any

from tests.build.dicom import MrSeries
from tests.build.study import Run, Study
from tests.endtoend.judge import LedgerCells

RUN = MrSeries(number=5, description="task", volumes=4, changes={"SoftwareVersions": "syngo MR XA20"})
T1 = MrSeries(number=5, description="T1w")


def successful(run: Run) -> Run:
    """Return a run that must have ended with status 0."""
    assert run.status == 0, run.text
    return run


def summary_of(study: Study, session: str = "S1") -> dict[str, Any]:
    summary = json.loads((study.session(session) / "qxbatch/summary.json").read_bytes())
    assert isinstance(summary, dict)
    return summary


def numbers(study: Study, session: str = "S1") -> dict[int, int]:
    """Return the number of files of each series by its n."""
    return {series["n"]: series["files"] for series in summary_of(study, session)["series"]}


def noted(rows: list[LedgerCells]) -> list[LedgerCells]:
    """Return the rows that note that their file was joined with a series."""
    return [row for row in rows if row["reason"].startswith("joined with series")]


def imported(study: Study, tree: Mapping[str, bytes], *options: str) -> dict[int, int]:
    """Import a packet S1; return the number of files of each series by its n."""
    study.put("S1", tree)
    successful(study.main(*options))
    return numbers(study)
