"""The page of a study in a browser."""

from pathlib import Path

import pytest

from tests.browser.conftest import Opener
from tests.build.dicom import MrSeries
from tests.build.study import Study

MARKUP = "<b>x</b><script>hacked=1</script>"


def session(*series: MrSeries) -> dict[str, bytes]:
    return {f"{each.number}/{name}": data for each in series for name, data in each.files().items()}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Import five sessions, one with another TR and one without T1w, and a packet that is refused; return the page."""
    study = Study(tmp_path_factory.mktemp("study"))
    t1 = MrSeries(number=2, description="T1w", rows=32, columns=32, slices=8)
    rest = MrSeries(number=3, description="rest", volumes=4)
    marked = MrSeries(number=4, description=MARKUP)
    for name in ("S1", "S2", "S3"):
        study.put(name, session(t1, rest, marked))
    study.put("S4", session(t1, MrSeries(number=3, description="rest", volumes=4, tr=2500.0), marked))
    study.put("S5", session(rest, marked))
    refused = study.put("S6", session(t1))
    refused.write_bytes(refused.read_bytes()[:-200])
    assert study.main().status == 1
    return study.sessions / "report.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1280])
def test_the_page_is_readable_at_any_width_in_both_schemes(page: Path, opened: Opener, width: int, scheme: str) -> None:
    watched = opened(page, width=width, scheme=scheme)
    assert watched.messages == []
    assert watched.overflow() <= 0
    assert watched.low_contrast() == []
    assert watched.page.evaluate("window.hacked") is None
    assert watched.page.locator("main b", has_text="x").count() == 0


def test_the_table_shows_missing_series_and_both_values_of_a_difference(page: Path, opened: Opener) -> None:
    table = opened(page).page.locator("table.matrix")
    row = table.locator("tr", has_text="S4").inner_text()
    assert "tr_ms 2500, expected 2000" in row
    assert "missing" in table.locator("tr", has_text="S5").inner_text()
    assert "missing" not in table.locator("tr", has_text="S1").inner_text()


def test_search_and_tiles_filter_both_tables(page: Path, opened: Opener) -> None:
    opened_page = opened(page).page
    visible_rows = "table.sortable tbody tr:visible", "table.matrix tbody tr:visible"
    assert [opened_page.locator(each).count() for each in visible_rows] == [5, 5]
    opened_page.locator("input[type=search]").fill("s4")
    assert [opened_page.locator(each).count() for each in visible_rows] == [1, 1]
    assert opened_page.locator("#count").inner_text() == "1 of 5"
    opened_page.locator("input[type=search]").fill("")
    tile = opened_page.locator("button.tile", has_text="complete")
    tile.click()
    assert tile.get_attribute("aria-pressed") == "true"
    complete = opened_page.locator("table.sortable tbody .badge.good:visible").count()
    assert [opened_page.locator(each).count() for each in visible_rows] == [complete, complete]


def test_sessions_can_be_sorted_and_link_to_their_pages(page: Path, opened: Opener) -> None:
    opened_page = opened(page).page
    head = opened_page.locator("th", has_text="session").first
    head.locator("button").click()
    head.locator("button").click()
    assert opened_page.locator("table.sortable tbody th").all_inner_texts() == ["S5", "S4", "S3", "S2", "S1"]
    link = opened_page.locator("table.sortable a", has_text="S4").get_attribute("href")
    assert (page.parent / str(link)).is_file()


def test_thumbnails_are_shown(page: Path, opened: Opener) -> None:
    pictures = opened(page).page.locator("td img").all()
    assert [picture.evaluate("each => each.naturalWidth") for picture in pictures] == [64] * 5


def test_points_of_plots_link_to_sessions(page: Path, opened: Opener) -> None:
    opened_page = opened(page).page
    points = opened_page.locator("svg.strip a")
    assert points.count() >= 5
    for point in points.all():
        assert opened_page.locator(f"tr[id='{str(point.get_attribute('href'))[1:]}']").count() == 1


def test_a_packet_that_was_not_imported_is_listed_with_its_reason(page: Path, opened: Opener) -> None:
    item = opened(page).page.locator("section[aria-labelledby=not-imported] li").inner_text()
    assert item.startswith("S6.zip: ")


def test_the_page_without_scripts_has_all_rows(page: Path, opened: Opener) -> None:
    opened_page = opened(page, script=False).page
    assert opened_page.locator("table.sortable tbody tr").count() == 5
    assert opened_page.locator("table.matrix tbody tr").count() == 5
