"""Names of files and folders that another program is still copying."""

import re

ENDINGS = (".part", ".partial", ".filepart", ".crdownload", ".opdownload", ".download", ".tmp")
"""Suffixes with which browsers, WinSCP, Nextcloud and others name unfinished copies."""
_FOLDERS = (".~tmp~", ".rsync-partial")
"""Folders in which rsync keeps files until they are complete."""
_RSYNC = re.compile(r"\.(?P<name>.+)\.[A-Za-z0-9]{6}")
"""rsync copies `name.zip` as `.name.zip.AbC123`."""


def unfinished_reason(name: str) -> str:
    """Return why a name shows a copy in progress; empty when it does not.

    >>> unfinished_reason("S1.zip.part")
    'its name ends in .part: it is still being copied; the next run imports it once it is renamed'
    >>> unfinished_reason("S1.zip"), unfinished_reason(".DS_Store")
    ('', '')
    """
    folded = name.casefold()
    ending = next((suffix for suffix in ENDINGS if folded.endswith(suffix) and len(folded) > len(suffix)), "")
    reason = "it is still being copied; the next run imports it once it is renamed"
    if ending:
        return f"its name ends in {ending}: {reason}"
    if folded in _FOLDERS:
        return "rsync keeps files in it until they are complete"
    match = _RSYNC.fullmatch(name)
    return f"rsync's temporary name of {match['name']}: {reason}" if match else ""
