"""The tables of the pages of a study and of a session on screens of usual widths."""

from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Opener
from tests.build.dicom import MrSeries
from tests.build.study import Study

FRAMES = """() => {
  for (const body of document.querySelectorAll(".wide tbody"))  // as many rows as a large study has
    for (const row of [...body.rows]) for (let i = 0; i < 9; i++) body.append(row.cloneNode(true));
  return [...document.querySelectorAll(".wide")].map((frame) => {
    frame.scrollIntoView({block: "start"});
    const cells = [...frame.querySelectorAll("th, td")];
    const line = parseFloat(getComputedStyle(frame.querySelector("td")).lineHeight);
    const place = frame.getBoundingClientRect();
    const top = frame.getBoundingClientRect().top;
    frame.scrollTo(frame.scrollWidth, frame.scrollHeight);
    const last = frame.querySelector("thead tr").lastElementChild.getBoundingClientRect();
    return {
      width: frame.offsetWidth,
      hidden: frame.scrollWidth - frame.clientWidth,
      bar: frame.offsetHeight - frame.clientHeight,
      bottom: place.bottom,
      window: window.innerHeight,
      cut: cells.filter((cell) => cell.scrollWidth > cell.clientWidth + 1).map((cell) => cell.textContent),
      lines: Math.max(...[...frame.querySelectorAll("tbody tr")].map((row) => row.offsetHeight - 10)) / line,
      lastIsInSight: last.top >= top && last.right <= place.right + 1,
    };
  });
}"""


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Import four sessions, one with many differences; return the sessions folder."""
    study = Study(tmp_path_factory.mktemp("study"))
    for name in ("S1", "S2", "S3", "S4"):
        tr = 2500.0 if name == "S4" else 2000.0
        series = [
            MrSeries(number=k, description=f"rest_{'long_name_' * 3}{k}", volumes=4, tr=tr, rows=16, columns=16)
            for k in range(2, 10)
        ]
        study.put(name, {f"{each.number}/{file}": data for each in series for file, data in each.files().items()})
    assert study.main().status == 0
    return study.sessions


@pytest.mark.parametrize("width", [1280, 1400, 1920])
@pytest.mark.parametrize("page", ["report.html", "S4/qxbatch/report.html"])
def test_a_table_is_in_a_frame_as_wide_as_the_window_and_its_scroll_bar_is_in_sight(
    sessions: Path, opened: Opener, page: str, width: int
) -> None:
    frames: list[dict[str, Any]] = opened(sessions / page, width=width).page.evaluate(FRAMES)
    assert frames
    for frame in frames:
        assert frame["cut"] == []
        assert frame["width"] > width - 80
        assert frame["lines"] < 6
        assert frame["bottom"] <= frame["window"]
        assert frame["hidden"] == 0 or frame["bar"] >= 8
        assert frame["lastIsInSight"]
