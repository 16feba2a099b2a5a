"""docs/ builds as a site that loads nothing from the network."""

import re
from html.parser import HTMLParser
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
LOADING = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "iframe": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "embed": ("src",),
    "object": ("data",),
}
"""Elements and attributes whose address a browser loads; for `link` this depends on its relation."""
LINKS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch", "modulepreload", "manifest"}
OUTSIDE = re.compile(r"^\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
IN_STYLES = re.compile(r"(?:url\(|@import)\s*[\"']?([^\"')\s]+)", re.IGNORECASE)


class Loaded(HTMLParser):
    """The addresses that a browser loads for a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        names = LOADING.get(tag, ())
        if tag == "link" and LINKS & set(given.get("rel", "").split()):
            names = ("href",)
        self.addresses += [given[name] for name in names if name in given]
        self.addresses += IN_STYLES.findall(given.get("style", ""))


def test_every_document_is_a_page(site: Path) -> None:
    documents = {path.relative_to(REPOSITORY / "docs").with_suffix("") for path in (REPOSITORY / "docs").rglob("*.md")}
    pages = {path.relative_to(site).with_suffix("") for path in site.rglob("*.html")}
    assert pages - documents == {Path("404"), Path("changes"), Path("contributing")}
    assert documents - pages == set()


def test_pages_and_styles_load_nothing_from_the_network(site: Path) -> None:
    loaded = [(page, address) for page in site.rglob("*.html") for address in Loaded(page.read_text()).addresses]
    loaded += [(style, address) for style in site.rglob("*.css") for address in IN_STYLES.findall(style.read_text())]
    assert len(loaded) > len(list(site.rglob("*.html")))
    assert [(page.name, address) for page, address in loaded if OUTSIDE.match(address)] == []


def test_files_that_pages_load_exist(site: Path) -> None:
    missing = [
        (page.relative_to(site).as_posix(), address)
        for page in site.rglob("*.html")
        if page.name != "404.html"  # its addresses are relative to the root of a server
        for address in Loaded(page.read_text()).addresses
        if not (page.parent / address.partition("?")[0]).exists()
    ]
    assert missing == []


def test_addresses_loaded_from_the_network_are_found() -> None:
    page = """<link rel="stylesheet" href="https://a.example/x.css"><link rel="next" href="https://b.example/">
    <script src="//c.example/x.js"></script><img src="images/a.png"><a href="https://d.example/">text</a>
    <p style="background: url('https://e.example/x.png')">"""
    outside = [address for address in Loaded(page).addresses if OUTSIDE.match(address)]
    assert outside == ["https://a.example/x.css", "//c.example/x.js", "https://e.example/x.png"]
