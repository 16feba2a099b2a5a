"""Texts that a converter may have cut to the length of a field: the last word, which may be a part of a name, is removed.

A part of a name cannot be recognised by the redaction.
"""

import re

_LAST_WORD = re.compile(r"[^\s_^,;=+/-]*\Z")


def without_last_word(text: str) -> str:
    """Return a text without its last word.

    >>> without_last_word("T1 of Miss Doerks"), without_last_word("T1_Doerks")
    ('T1 of Miss ', 'T1_')
    """
    return _LAST_WORD.sub("", text)
