"""Names that are reserved for qxbatch beside packets and sessions. All other names belong to the user."""

import os
import re
from enum import StrEnum

WORKSPACE = ".qxbatch"
"""The folder of staging, locks and journals in the sessions folder."""
MAX_NAME_BYTES = 255
"""Bytes of a name on most file systems."""
_STAGING_NAME_OF_SPLIT = r"\.qxbatch-split-[0-9a-f]{16}"
"""The staging folder of `qxbatch split`."""
_HIDDEN_NAME = re.compile(r"(?s)\.qxbatch-(copy|aside|part|gone)-([0-9a-f]{16})-(.+)")

_LONGEST_CHARACTER = 4
"""Bytes of the longest character in UTF-8."""
_HASH_ENDING = re.compile(r"(?s).*-[0-9a-f]{32}(\.tar)?(\.[A-Za-z0-9]{1,8})?")
"""Matches a name that `_shorten` has shortened."""
_EXTENSION = re.compile(r"(\.tar)?\.[A-Za-z0-9]{1,8}\Z")


class HiddenKind(StrEnum):
    """The kind of a hidden name (`hidden_name`): why a file or folder has it. The value is a part of the name."""

    COPY = "copy"
    """A copy in progress, not complete."""
    ASIDE = "aside"
    """It was renamed to be compared again, so that no other program changes it."""
    PART = "part"
    """The files moved so far out of a folder that cannot be renamed at once; with the last file it gets the kind ASIDE."""
    GONE = "gone"
    """It was compared and is being removed."""


def hidden_name(kind: HiddenKind, tag: str, name: str) -> str:
    """Return the hidden name for something called `name`; `tag` (16 hex digits) identifies one unit of one run.

    >>> hidden_name(HiddenKind.COPY, "0123456789abcdef", "AP346.zip")
    '.qxbatch-copy-0123456789abcdef-AP346.zip'
    """
    prefix = f"{WORKSPACE}-{kind}-{tag}-"
    return f"{prefix}{_shorten(name, MAX_NAME_BYTES - len(prefix))}"


def _shorten(name: str, max_bytes: int) -> str:
    """Return a name of at most `max_bytes` bytes: the name, or its beginning, a hash of the whole name, and its extension."""
    if len(os.fsencode(name)) <= max_bytes:
        return name
    import hashlib

    extension = _EXTENSION.search(name)
    ending = f"-{hashlib.sha256(os.fsencode(name)).hexdigest()[:32]}{extension[0] if extension else ''}"
    while len(os.fsencode(f"{name}{ending}")) > max_bytes:
        name = name[:-1]
    return f"{name}{ending}"


def staging_name_of_split(tag: str) -> str:
    """Return the name of the staging folder of one `qxbatch split`; `tag` has 16 hex digits."""
    return f"{WORKSPACE}-split-{tag}"


def is_staging_name_of_split(name: str) -> bool:
    """Return whether a name is that of the staging folder of a `qxbatch split`."""
    return re.fullmatch(_STAGING_NAME_OF_SPLIT, name) is not None


def is_own_name(name: str) -> bool:
    """Return whether a name is reserved for qxbatch.

    >>> is_own_name(".qxbatch"), is_own_name(".qxbatch-AP346.zip")
    (True, False)
    """
    if not name.startswith(WORKSPACE):
        return False
    return name == WORKSPACE or is_staging_name_of_split(name) or _HIDDEN_NAME.fullmatch(name) is not None


def parse_hidden_name(name: str) -> tuple[HiddenKind, str, str] | None:
    """Return kind, tag and original name of a hidden name; None for another name.

    If `hidden_name` shortened the original name, the shortened one is returned.
    """
    match = _HIDDEN_NAME.fullmatch(name)
    return None if match is None else (HiddenKind(match[1]), match[2], match[3])


def is_shortened(name: str) -> bool:
    """Return whether `hidden_name` shortened the original name, given the hidden name.

    A shortened hidden name has MAX_NAME_BYTES or up to three bytes less: the next character would not have fitted.
    """
    is_longest = len(os.fsencode(name)) > MAX_NAME_BYTES - _LONGEST_CHARACTER
    return is_longest and _HASH_ENDING.fullmatch(name) is not None
