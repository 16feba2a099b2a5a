"""Patterns for names: globs in which `{entity}` captures a part, and regular expressions with named groups."""

import re
from functools import lru_cache

from qxbatch.protocol.values import WrongValueError

_CAPTURE = re.compile(r"\{([a-z]+)\}", re.ASCII)


@lru_cache(1 << 10)
def glob_pattern(glob: str) -> re.Pattern[str]:
    """Return the pattern of a glob; case is ignored. Raises WrongValueError.

    `*` stands for any characters, `?` for one, `[0-9]` for a digit, `[*]` for `*` itself, and `{dir}` for a part
    without `_` and spaces, which is captured.

    >>> glob_pattern("SpinEchoFieldMap_{dir}*").fullmatch("spinechofieldmap_AP_2")["dir"]
    'AP'
    """
    parts, at = [], 0
    names: set[str] = set()
    while at < len(glob):
        capture = _CAPTURE.match(glob, at)
        end = glob.find("]", at + 2) if glob[at] == "[" else -1
        if capture:
            parts.append(_captured(capture[1], names))
            at = capture.end()
            continue
        if end > 0:
            parts.append(_class(glob[at + 1 : end]))
            at = end + 1
            continue
        parts.append({"*": ".*?", "?": "."}.get(glob[at], re.escape(glob[at])))
        at += 1
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


@lru_cache(1 << 10)
def regex_pattern(text: str) -> re.Pattern[str]:
    """Return a regular expression; case is ignored. Raises WrongValueError."""
    try:
        return re.compile(text, re.IGNORECASE)
    except (re.error, RecursionError, OverflowError) as error:
        raise WrongValueError(f"a regular expression of Python ({error})") from None


def capture_names(pattern: re.Pattern[str]) -> tuple[str, ...]:
    """Return the names that a pattern captures."""
    return tuple(pattern.groupindex)


def _captured(name: str, names: set[str]) -> str:
    if name in names:
        return f"(?P={name})"
    names.add(name)
    return rf"(?P<{name}>[^_\s]+)"


def _class(inner: str) -> str:
    negated = inner.startswith("!")
    letters = inner[1:] if negated else inner
    escaped = re.sub(r"([\\\[\]^&~|])", r"\\\1", letters)
    return f"[{'^' if negated else ''}{escaped}]" if letters else re.escape("[!]")
