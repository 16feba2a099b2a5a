"""Patterns for names: globs in which `{entity}` captures text, and regular expressions with named groups."""

import re
from functools import lru_cache

from qxbatch.protocol.values import WrongValueError

_CAPTURE = re.compile(r"\{([a-z]+)\}", re.ASCII)


@lru_cache(1 << 10)
def glob_pattern(glob: str) -> re.Pattern[str]:
    """Return the pattern of a glob; case is ignored. Raises WrongValueError.

    `*` matches any characters, `?` one character, `[0-9]` a digit, `[!0-9]` another character, `[*]` the character `*`. `{dir}`
    captures text without `_` and white space; a second `{dir}` matches the same text again.

    >>> glob_pattern("SpinEchoFieldMap_{dir}*").fullmatch("spinechofieldmap_AP_2")["dir"]
    'AP'
    """
    regexes, position = [], 0
    names: set[str] = set()
    while position < len(glob):
        capture = _CAPTURE.match(glob, position)
        end = glob.find("]", position + 2) if glob[position] == "[" else -1
        if capture:
            regexes.append(_capture_group(capture[1], names))
            position = capture.end()
            continue
        if end > 0:
            regexes.append(_character_class(glob[position + 1 : end]))
            position = end + 1
            continue
        regexes.append({"*": ".*?", "?": "."}.get(glob[position], re.escape(glob[position])))
        position += 1
    try:
        return re.compile("".join(regexes), re.IGNORECASE | re.DOTALL)
    except re.error as error:
        raise WrongValueError(expected=f"a glob ({error})") from None


@lru_cache(1 << 10)
def regex_pattern(text: str) -> re.Pattern[str]:
    """Return a regular expression; case is ignored. Raises WrongValueError."""
    try:
        return re.compile(text, re.IGNORECASE)
    except (re.error, RecursionError, OverflowError) as error:
        raise WrongValueError(expected=f"a regular expression of Python ({error})") from None


def _capture_group(name: str, names: set[str]) -> str:
    """Return a group that captures text, and add its name to `names`.

    If `names` already has the name, return a reference to the group.
    """
    if name in names:
        return f"(?P={name})"
    names.add(name)
    return rf"(?P<{name}>[^_\s]+)"


def _character_class(inner: str) -> str:
    negated = inner.startswith("!")
    letters = inner[1:] if negated else inner
    escaped = re.sub(r"[\\\[\]^&~|]|(?<=.-)-", r"\\\g<0>", letters)  # Python warns of `--` in a set
    return f"[{'^' if negated else ''}{escaped}]" if letters else re.escape("[!]")
