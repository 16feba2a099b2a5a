"""The documentation in a browser, opened from files."""

from pathlib import Path

import pytest

from tests.browser.conftest import Opener


def test_the_search_finds_a_page_without_a_network(site: Path, opened: Opener) -> None:
    watched = opened(site / "how-to" / "logfile.html")
    watched.page.click("input.md-search__input")
    watched.page.keyboard.type("encrypted packet")
    results = watched.page.locator(".md-search-result__item a")
    results.first.wait_for(timeout=20_000)
    assert "damaged-packets.html" in " ".join(str(each.get_attribute("href")) for each in results.all())
    assert watched.messages == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", ["index", "tutorial", "parameters", "from-qunex"])
def test_a_page_is_readable_on_a_phone(site: Path, opened: Opener, page: str, scheme: str) -> None:
    watched = opened(site / f"{page}.html", width=390, scheme=scheme)
    assert watched.overflow() <= 0
    assert watched.low_contrast() == []
    assert watched.messages == []
