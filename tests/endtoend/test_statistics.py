"""The statistics and pictures of an imported time series."""

import json
from dataclasses import dataclass, field
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from qxbatch.cli.main import main
from qxbatch.session.folder import SessionFolder
from tests.build.dicom import MrSeries
from tests.build.study import Study, snapshot
from tests.test_statistics import expected


@dataclass(frozen=True)
class Scan(MrSeries):
    """A bright box with noise, whose first volume is brighter."""

    rows: int = 20
    columns: int = 24
    slices: int = 8
    volumes: int = 14
    description: str | None = "rest"
    changes: Any = field(default_factory=lambda: {"ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"]})

    def volume(self, volume: int = 0) -> NDArray[np.uint16]:
        chance = np.random.default_rng(volume)
        data = chance.normal(20, 2, (self.slices, self.rows, self.columns))
        data[1:7, 4:16, 5:19] = 900 + chance.normal(0, 15, (6, 12, 14))
        return np.asarray(data * (1.4 if volume == 0 else 1), np.uint16)


def imported(study: Study, series: MrSeries) -> dict[str, Any]:
    """Import a series; return the summary's entry of its only image."""
    study.put("S1", series.files())
    assert study.main().status == 0
    summary = json.loads((study.session("S1") / "qxbatch/summary.json").read_bytes())
    [image] = summary["images"]
    entry: dict[str, Any] = image
    return entry


def pictures(study: Study) -> set[str]:
    return {path.name for path in (study.session("S1") / "qxbatch/pictures").iterdir()}


def test_a_time_series_has_statistics_and_a_map(study: Study) -> None:
    image = imported(study, Scan())
    data = nib.Nifti1Image.from_filename(study.session("S1") / "nii/31.nii.gz").get_fdata()
    tsnr, signal, _ = expected(np.asarray(data, np.float64), dropped=1)
    statistics = image["statistics"]
    assert statistics["dropped_volumes"] == 1
    assert statistics["tsnr"] == pytest.approx(tsnr, rel=1e-4)
    assert statistics["global_signal"] == pytest.approx(signal.tolist(), rel=1e-4)
    assert pictures(study) == {"31.png", "31-tsnr.png", "thumbnail.png"}
    page = (study.session("S1") / "qxbatch/report.html").read_text()
    assert "temporal SNR: median 6" in page


def test_the_curve_is_one_line_of_the_summary(study: Study) -> None:
    imported(study, Scan())
    lines = (study.session("S1") / "qxbatch/summary.json").read_text().splitlines()
    [line] = [line for line in lines if "global_signal" in line]
    assert len(json.loads("{" + line.strip().rstrip(",") + "}")["global_signal"]) == 14


@pytest.mark.parametrize(
    "series",
    [
        pytest.param(MrSeries(), id="one volume"),
        pytest.param(Scan(volumes=9), id="few volumes"),
        pytest.param(Scan(changes={"ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"]}), id="phase"),
        pytest.param(Scan(description="pcasl"), id="spin labelling"),
    ],
)
def test_other_images_have_no_statistics(study: Study, series: MrSeries) -> None:
    image = imported(study, series)
    assert "statistics" not in image
    assert pictures(study) == {"31.png", "thumbnail.png"}


def test_pictures_that_are_missing_are_drawn_as_the_import_drew_them(study: Study) -> None:
    imported(study, Scan())
    session = study.session("S1")
    before = snapshot(session)
    for path in (session / "qxbatch/pictures").iterdir():
        path.unlink()
    assert main(["report", str(session)]) == 0
    assert snapshot(session) == before


def test_two_imports_give_the_same_statistics_and_pictures(study: Study) -> None:
    imported(study, Scan())
    first = {path.name: path.read_bytes() for path in (study.session("S1") / "qxbatch/pictures").iterdir()}
    before = SessionFolder(study.session("S1")).summary
    study.put("S1", Scan().files())
    assert study.main("--overwrite=yes").status == 0
    after = SessionFolder(study.session("S1")).summary
    assert before is not None
    assert after is not None
    assert after.images == before.images
    assert {path.name: path.read_bytes() for path in (study.session("S1") / "qxbatch/pictures").iterdir()} == first
