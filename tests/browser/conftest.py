"""Fixtures: a browser, and pages that record messages and network requests."""

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
    program = next((path for name in NAMES if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip("chromium is not installed: install the Debian package chromium")
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("playwright is not installed: install qxbatch[test]")
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=program, args=arguments, ignore_default_args=["--hide-scrollbars"]
        )
        yield started
        started.close()


@dataclass
class Watched:
    """A page, and what it logs and loads."""

    page: "Page"
    messages: list[str] = field(default_factory=list)
    """Console messages, script errors and the URLs of network requests."""

    def low_contrast(self) -> list[str]:
        """Return the texts with a contrast to their background below 4.5:1."""
        texts: list[str] = self.page.evaluate(CONTRAST)
        return texts

    def overflow(self) -> int:
        """Return the number of pixels by which the page is wider than the window; negative if it is narrower."""
        pixels: int = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return pixels


class Opener:
    """Opens files in browser windows with a width and a colour scheme."""

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
        watched.page.on("console", lambda message: watched.messages.append(message.text))
        watched.page.on("pageerror", lambda error: watched.messages.append(str(error)))
        watched.page.on(
            "request", lambda request: watched.messages.append(request.url) if _outside(request.url) else None
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
    """Return a function that opens a file in the browser."""
    opener = Opener(browser)
    yield opener
    opener.close()
