"""Messages in a converter's log that question an image; the patterns are for the messages of dcm2niix."""

import re

_DOUBTS = re.compile(
    r"guess|missing images|incomplete|converting only complete volumes|slice direction|spatial orientation|spatial matrix"
    r"|slices are flipped|interslice distance|slice distance|slice positions repeated|not equidistant|position not sequential"
    r"|order is not spatial|slice thickness|reverse order|expected \d+ dynamics|slope/intercept varies|scaling varies"
    r"|slices skipped",
    re.IGNORECASE,
)
"""Words of messages about geometry, guesses and missing slices."""
_GRADIENTS = re.compile(r"unable to determine dti gradients|validate vectors", re.IGNORECASE)
"""Words of messages about gradient directions."""
_WITH_PATHS = re.compile(r"Convert \d+ DICOM as .*|^\S+ -g i .*")
"""Texts with paths, which may contain any words: a message of dcm2niix, also at the end of another one, and its call
(qxbatch.convert.normalize).
"""
_PREFIX = re.compile(r"^(?:warning|error|note):\s*", re.IGNORECASE)
_MAX_LINES = 3
"""Maximum number of lines that are returned."""


def warnings_of(log: str) -> list[str]:
    """Return the first three log lines that question an image (_DOUBTS), each once; a fourth item counts the others.

    >>> warnings_of("Warning: Guessing this is a mosaic up to 9 slices (issue 337).\\nConvert 6 DICOM as 30 (48x48x1x6)")
    ['Guessing this is a mosaic up to 9 slices (issue 337).']
    """
    lines = _lines(log, _DOUBTS)
    more = [f"and {len(lines) - _MAX_LINES} more"] if len(lines) > _MAX_LINES else []
    return [*lines[:_MAX_LINES], *more]


def gradient_warnings_of(log: str) -> list[str]:
    """Return the first three log lines that question gradient directions, each once."""
    return _lines(log, _GRADIENTS)[:_MAX_LINES]


def _lines(log: str, about: re.Pattern[str]) -> list[str]:
    messages = (_WITH_PATHS.sub("", line) for line in log.splitlines())
    lines = (_PREFIX.sub("", message.strip()) for message in messages if about.search(message))
    return list(dict.fromkeys(lines))
