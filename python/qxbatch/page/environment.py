"""The templates of the pages: Jinja2 with autoescape, so that no text of a header or of a foreign summary becomes markup."""

import os
import re
import sys
from contextlib import suppress
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

from qxbatch.session.page_checksum import with_checksum

_TEMPLATES = Path(__file__).with_name("templates")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Control characters, which would act on the terminal of a reader; not tabs and line ends."""


class _TemplateCache(BytecodeCache):
    """A cache of compiled templates in the folder of Python's compiled modules.

    Compiling the templates takes 30 ms, longer than rendering them. `FileSystemBytecodeCache` of Jinja2 raises an error if its
    folder cannot be written; this cache then writes nothing.
    """

    def __init__(self, *, write: bool) -> None:
        self._write = write

    def get_cache_key(self, name: str, filename: str | None = None) -> str:  # noqa: ARG002 - a checkout may be moved
        return name

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError, ValueError, EOFError, TypeError), _cache_path(bucket.key).open("rb") as file:
            bucket.load_bytecode(file)

    def dump_bytecode(self, bucket: Bucket) -> None:
        if not self._write:
            return
        cache_file = _cache_path(bucket.key)
        new = cache_file.with_name(f"{cache_file.name}.{os.urandom(8).hex()}")
        with suppress(OSError):
            cache_file.parent.mkdir(exist_ok=True)
            try:
                new.write_bytes(bucket.bytecode_to_string())
                new.replace(cache_file)
            finally:
                new.unlink(missing_ok=True)


def _cache_path(name: str) -> Path:
    return Path(cache_from_source(str(_TEMPLATES / f"{name}.py")))


@cache
def _environment(*, write_cache: bool) -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        bytecode_cache=_TemplateCache(write=write_cache),
    )


def compile_templates() -> None:
    """Compile the templates at installation, as modules are compiled: later runs may not be able to write the cache."""
    for template in _TEMPLATES.iterdir():
        if template.is_file():
            _environment(write_cache=True).get_template(template.name)


def render(template: str, **values: Any) -> str:
    """Return a page as HTML, with its style, script and checksum. A control character becomes its code, such as `\\u001b`."""
    text = _environment(write_cache=not sys.dont_write_bytecode).get_template(template).render(**values)
    text = _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    return with_checksum(
        text.encode("utf-8", "backslashreplace").decode("utf-8")
    )  # texts from JSON may have surrogates


if __name__ == "__main__":
    compile_templates()
