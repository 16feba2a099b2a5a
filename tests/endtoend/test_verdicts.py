"""An import reports what is incomplete: in the summary, in DICOM-Report.txt, and in one message for each series."""

import re
from pathlib import Path

import pytest

from qxbatch.acquisition import SeriesVerdict
from qxbatch.problems import Code
from qxbatch.session.folder import SessionFolder
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, Tree, under
from tests.build.parrec import ParRec
from tests.build.study import Study


def stopped() -> dict[str, bytes]:
    """Return the files of a scan of 5 volumes that was stopped in the fourth."""
    files = MrSeries(number=4, description="rest", slices=6, volumes=5).files()
    return dict(list(files.items())[:20])


def packet() -> Tree:
    """Return a complete and a stopped scan, and a PAR/REC with 3 of 4 volumes."""
    pair = ParRec(acquisition=7, protocol="bold", volumes=3)
    par = re.sub(r"(number of dynamics +:   )3", r"\g<1>4", pair.par())
    return {
        **under("a", MrSeries(number=2, slices=6).files()),
        **under("b", stopped()),
        **under("c", {"scan.PAR": par.encode("latin-1"), "scan.REC": pair.rec()}),
    }


@pytest.mark.parametrize("kind", [Kind.ZIP, Kind.FOLDER])
def test_an_import_reports_what_is_incomplete(study: Study, kind: Kind) -> None:
    study.put("OP1", packet(), kind)
    run = study.main()
    assert run.status == 0
    summary = SessionFolder(study.session("OP1")).summary
    assert summary is not None
    assert {series.n: series.verdict for series in summary.series} == {
        20: SeriesVerdict.COMPLETE,
        40: SeriesVerdict.INCOMPLETE,
        7010: SeriesVerdict.INCOMPLETE,
    }
    messages = {
        series.n: [problem.message for problem in series.problems if problem.code is Code.CONVERT_REVIEW]
        for series in summary.series
    }
    assert messages == {
        20: [],
        40: ["incomplete: planned 5 volumes, 3 complete, 2 slices of one more."],
        7010: ["incomplete: planned 4 volumes, 3 complete."],
    }
    check_report(study.session("OP1") / "dicom" / "DICOM-Report.txt")


def check_report(path: Path) -> None:
    """Check that the report has the worst verdict, an incomplete series, and the volumes or the verdict of each series."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert "verdict: incomplete (2 of 3 series)" in lines
    assert "  4 (rest): planned 5 volumes, 3 complete, 2 slices of one more" in lines
    rows = {line.split()[0]: line for line in lines if line[:1].isdigit()}
    assert (" complete " in rows["20"], "5/3" in rows["40"], "4/3" in rows["7010"]) == (True, True, True)
