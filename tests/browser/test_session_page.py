"""The page of a session in a browser."""

from pathlib import Path

import pytest

from tests.browser.conftest import Opener
from tests.build.dicom import MrSeries
from tests.build.study import Study

MARKUP = '</h3><script>hacked=1</script><img src=x onerror=hacked=1>&amp;"'
SERIES = (
    MrSeries(number=3, description="T1w", slices=4, rows=32, columns=24),
    MrSeries(number=4, description="rest", volumes=12, tr=2000.0, rows=16, columns=16),
    MrSeries(number=12, description=MARKUP, tr=500.0, rows=16, columns=16),
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Import three series, one with markup in its description; return the page."""
    study = Study(tmp_path_factory.mktemp("study"))
    files = {f"{series.number}/{name}": data for series in SERIES for name, data in series.files().items()}
    study.put("S1", files)
    assert study.main().status == 0
    return study.session("S1") / "qxbatch/report.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1280])
def test_the_page_is_readable_at_any_width_in_both_schemes(page: Path, opened: Opener, width: int, scheme: str) -> None:
    watched = opened(page, width=width, scheme=scheme)
    assert watched.messages == []
    assert watched.overflow() <= 0
    assert watched.low_contrast() == []


def test_the_dark_scheme_has_a_dark_background(page: Path, opened: Opener) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    assert opened(page).page.evaluate(colour) == "rgb(255, 255, 255)"
    assert opened(page, scheme="dark").page.evaluate(colour) == "rgb(20, 23, 27)"


def test_markup_in_a_header_is_shown_as_text(page: Path, opened: Opener) -> None:
    watched = opened(page)
    assert watched.page.evaluate("window.hacked") is None
    assert MARKUP in watched.page.locator("#s120 h3").inner_text()


def test_a_column_can_be_sorted_by_number_in_both_directions(page: Path, opened: Opener) -> None:
    opened_page = opened(page).page
    head = opened_page.locator("th", has_text="TR (ms)")

    def column(title: str) -> list[str]:
        index = opened_page.locator("thead th").all_inner_texts().index(title)
        return [row.locator("td").nth(index).inner_text() for row in opened_page.locator("tbody tr").all()]

    assert column("series") == ["3", "4", "12"]
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert column("TR (ms)") == ["500", "2000", "2000"]
    head.locator("button").press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert column("TR (ms)") == ["2000", "2000", "500"]
    opened_page.locator("th", has_text="series").locator("button").click()
    assert column("series") == ["3", "4", "12"]
    assert head.get_attribute("aria-sort") is None


def test_a_picture_can_be_enlarged_and_closed_by_keyboard(page: Path, opened: Opener) -> None:
    opened_page = opened(page).page
    button = opened_page.locator("#s30 figure button").first
    button.focus()
    opened_page.keyboard.press("Enter")
    dialog = opened_page.locator("dialog")
    assert dialog.is_visible()
    picture = dialog.locator("img")
    assert picture.get_attribute("src") == button.locator("img").get_attribute("src")
    assert "T1w" in (picture.get_attribute("alt") or "")
    opened_page.keyboard.press("Escape")
    assert not dialog.is_visible()


def test_pictures_are_shown_with_a_description(page: Path, opened: Opener) -> None:
    pictures = opened(page).page.locator("figure img")
    assert pictures.count() == len(SERIES)
    for picture in pictures.all():
        assert picture.evaluate("each => each.naturalWidth") > 0
        assert (picture.get_attribute("alt") or "").startswith("Middle slices of ")


def test_the_page_without_scripts_has_a_plain_table(page: Path, opened: Opener) -> None:
    opened_page = opened(page, script=False).page
    assert opened_page.locator("tbody tr").count() == len(SERIES)
    assert opened_page.locator("th button").count() == 0
    assert opened_page.locator("caption").is_visible()
    assert opened_page.locator("th:not([scope=col])").count() == 0


def test_the_page_is_one_file(page: Path, tmp_path: Path, opened: Opener) -> None:
    mailed = tmp_path / "mailed.html"
    mailed.write_bytes(page.read_bytes())
    pictures = opened(mailed).page.locator("figure img").all()
    assert [picture.evaluate("each => each.naturalWidth > 0") for picture in pictures] == [True] * len(SERIES)
