"""Escapes control characters in the JSON of converters, which copy them from headers."""

import re
from collections.abc import Iterable

from qxbatch.model import Output

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""A control character that must be escaped in JSON. Tabs and line ends are not in it: sidecars contain them between values."""


def escape_sidecars(outputs: Iterable[Output]) -> None:
    """Escape the control characters in the sidecars (.json) of images, so that they are valid JSON. Raises OSError.

    One of these characters is ESC, with which texts in character sets of ISO 2022 (Japanese, Korean, Chinese) change the set.
    """
    for path in sorted({output.sidecars["json"] for output in outputs if "json" in output.sidecars}):
        original = path.read_text(encoding="utf-8", errors="surrogateescape")
        escaped = _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", original)
        if escaped != original:
            path.write_text(escaped, encoding="utf-8", errors="surrogateescape", newline="\n")
