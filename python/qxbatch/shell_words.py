"""Splits a command line that qxbatch wrote for a shell into its words: the inverse of `qxbatch.visible.shell_word`."""

import re
import shlex

from qxbatch.visible import shell_word

_WORD = re.compile(r"""\$'(?:[^\\']|\\.)*'|(?:[^\s'"]|'[^']*'|"[^"]*")+""")
"""Matches a word as `shell_word` writes it."""
_ESCAPE = re.compile(rb"\\(?:x([0-9a-f]{2})|(.))")
"""Matches an escape in a word `$'...'`."""


def split_shell_words(text: str) -> list[str]:
    """Return the words of a command line whose words `shell_word` quoted, with one space between two words.

    Raises ValueError for any other text, even if a shell could split it.

    >>> split_shell_words("qxbatch '/my data' $'--sessions=a\\\\nb'")
    ['qxbatch', '/my data', '--sessions=a\\nb']
    """
    words = [_unquoted(match[0]) for match in _WORD.finditer(text)]
    if " ".join(map(shell_word, words)) != text:
        raise ValueError("not a command line that qxbatch writes")
    return words


def _unquoted(word: str) -> str:
    if not word.startswith("$'"):
        return "".join(shlex.split(word))
    return _ESCAPE.sub(_escaped_bytes, word[2:-1].encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")


def _escaped_bytes(escape: re.Match[bytes]) -> bytes:
    if escape[1]:
        return bytes.fromhex(escape[1].decode())
    return b"\n" if escape[2] == b"n" else escape[2]
