"""The checksum in a report.html. It shows whether a person wrote or changed the page, so that such a page is not lost."""

import hashlib
import re

_NO_CHECKSUM = "0" * 64
"""What is in place of the checksum in the template, and while the checksum is computed."""
_CHECKSUM_LINE = re.compile(rb'(?m)^<div class="volatile"><!-- checksum ([0-9a-f]{64}) --></div>$')
"""Matches the line of a page with the checksum (base.html). The class `volatile` marks lines that differ between two imports."""


def with_checksum(page: str) -> str:
    """Return a page with its checksum in the place of the zeros of the template."""
    return page.replace(f"<!-- checksum {_NO_CHECKSUM} -->", f"<!-- checksum {_checksum(page.encode())} -->")


def is_unchanged_page(page: bytes) -> bool:
    """Return whether qxbatch wrote a page, and nobody changed it since. A page without a checksum is not from qxbatch."""
    lines = list(_CHECKSUM_LINE.finditer(page))
    if not lines:
        return False
    start, end = lines[-1].span(1)
    return lines[-1][1].decode() == _checksum(page[:start] + _NO_CHECKSUM.encode() + page[end:])


def _checksum(page: bytes) -> str:
    return hashlib.sha256(page).hexdigest()
