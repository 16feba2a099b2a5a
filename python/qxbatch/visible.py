"""Text that is safe to print: control characters in names could move the cursor and forge lines."""

_UNCHANGED = "\n\t"
"""Characters that `visible_lines` does not escape, although they are not printable."""


def one_line(text: str) -> str:
    """Return text with escapes for characters that are not printable, such as control characters and line ends.

    >>> one_line("a\\x1b[2J\\nb")
    'a\\\\x1b[2J\\\\nb'
    """
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def shell_word(text: str) -> str:
    """Return text as one printable word for a shell (bash, zsh), whatever characters it contains.

    >>> shell_word("a b"), shell_word("a\\nb\\u202ec")
    ("'a b'", "$'a\\\\nb\\\\xe2\\\\x80\\\\xaec'")
    """
    if text.isprintable():
        from shlex import quote  # imported here, so that --help starts faster

        return quote(text)
    return "$'" + "".join(_shell_character(character) for character in text) + "'"


def _shell_character(character: str) -> str:
    if character.isprintable():
        return f"\\{character}" if character in "\\'" else character
    if character == "\n":
        return "\\n"
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))


def visible_lines(text: str) -> str:
    """Return text with escapes for characters that are not printable, except line feeds and tabs.

    Characters from U+0020 on get the escapes of JSON, so the content of a JSON document does not change.

    >>> visible_lines("a\\x1b[2J\\nb\\x9b")
    'a\\\\x1b[2J\\nb\\\\u009b'
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in _UNCHANGED else _escape(character) for character in text
    )


def _escape(character: str) -> str:
    code = ord(character)
    if code < ord(" "):
        return f"\\x{code:02x}"
    if code <= 0xFFFF:  # noqa: PLR2004 - the basic plane
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
