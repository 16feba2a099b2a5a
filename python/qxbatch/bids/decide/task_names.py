"""Labels of tasks, from the names of series."""

import re

_SCAN_WORDS = frozenset(
    (
        *("sbref", "bold", "fmri", "func", "epi", "ep2d", "cmrr", "task", "wip", "sense", "clear", "moco", "run"),
        *("ap", "pa", "lr", "rl", "pha", "phase", "mag", "magnitude"),
    )
)
"""Words of names that describe the scan and not the task."""
_NUMBERED_WORD = re.compile(
    r"(?:run|r|mb|sms|e|echo|te|tr|pat|grappa|ipat)[-_]?\d+|\d+(?:[.p]\d+)?mm", re.IGNORECASE | re.ASCII
)
"""Words with a number that describe the scan: `run2`, `mb4`, `2.4mm`."""
POLARITIES = ("ap", "pa", "lr", "rl")
"""Words for the polarity of phase encoding: anterior to posterior, and so on."""


def task_label(name: str) -> str:
    """Return the label of the task of a series: its name without words that describe the scan, or all of it if nothing remains.

    >>> task_label("fMRI_rest_AP_run1_SBRef"), task_label("task-nback_run-02_bold"), task_label("BOLD")
    ('rest', 'nback', 'BOLD')
    """
    words = [
        word for word in words_of(name) if word.casefold() not in _SCAN_WORDS and not _NUMBERED_WORD.fullmatch(word)
    ]
    label = "".join(re.findall(r"[0-9A-Za-z]+", " ".join(words)))
    return label or "".join(re.findall(r"[0-9A-Za-z]+", name))


def words_of(name: str) -> list[str]:
    """Split a name at `_`, at spaces, and at a `-` that no digit follows.

    Each of `run-2`, `run_2` and `run 2` becomes the word `run2`.
    """
    return re.split(r"[_\s]+|-(?!\d)", re.sub(r"(?i)\b(run)[-_ ](\d+)", r"\1\2", name.replace("_", " ")))


def names_polarity(name: str) -> bool:
    """Return whether a name contains a polarity of phase encoding as a word, such as `AP`."""
    return any(word.casefold() in POLARITIES for word in words_of(name))
