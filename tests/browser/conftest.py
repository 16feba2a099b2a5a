"""Fixtures: a browser, and pages that record what the browser complains of."""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
CONTRAST = (Path(__file__).with_name("contrast.js")).read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Return a headless chromium."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("no chromium: install the Debian package chromium")
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("no playwright: install qxbatch[test]")
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=arguments)
        yield started
        started.close()


@dataclass
class Watched:
    """A page of the browser."""

    page: "Page"
    complaints: list[str] = field(default_factory=list)
    """Messages on the console, errors of scripts, and requests to a network."""

    def low_contrast(self) -> list[str]:
        """Return the texts whose contrast with their ground is below 4.5:1."""
        found: list[str] = self.page.evaluate(CONTRAST)
        return found

    def sideways(self) -> int:
        """Return by how many pixels the body is wider than the window."""
        wide: int = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return wide


class Opener:
    """Opens files in windows of a size and colour scheme."""

    def __init__(self, browser: "Browser") -> None:
        self._browser = browser
        self._contexts: list[Any] = []

    def __call__(self, path: Path, *, width: int = 1280, scheme: str = "light", script: bool = True) -> Watched:
        context = self._browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,  # type: ignore[arg-type] # "light" or "dark"
            java_script_enabled=script,
        )
        self._contexts.append(context)
        watched = Watched(context.new_page())
        watched.page.on("console", lambda message: watched.complaints.append(message.text))
        watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
        watched.page.on(
            "request", lambda request: watched.complaints.append(request.url) if _outside(request.url) else None
        )
        watched.page.goto(path.as_uri())
        return watched

    def close(self) -> None:
        """Close all windows."""
        for context in self._contexts:
            context.close()


def _outside(url: str) -> bool:
    return not url.startswith(("file:", "data:"))


@pytest.fixture
def opened(browser: "Browser") -> Iterator[Opener]:
    """Return what opens a file in the browser."""
    opener = Opener(browser)
    yield opener
    opener.close()
