"""The templates of the pages: Jinja2 with autoescape, so that no text of a header or of a foreign summary becomes markup."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_TEMPLATES = Path(__file__).with_name("templates")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(template: str, **values: Any) -> str:
    """Return a page as HTML. Style and script are in it, so that it is one file that needs no network."""
    text = _environment().get_template(template).render(**values)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")  # JSON may have surrogates
