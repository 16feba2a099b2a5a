"""Text that is safe to print: names come from strangers, and control characters in them move cursors and forge lines."""

_SPACES = "\n\t"


def one_line(text: str) -> str:
    """Return text in which control characters, line ends and what is no text are escaped.

    >>> one_line("a\\x1b[2J\\nb")
    'a\\\\x1b[2J\\\\nb'
    """
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def shell_word(text: str) -> str:
    """Return text as a word for a shell (bash, zsh), which can be copied from a terminal whatever characters are in it.

    >>> shell_word("a b"), shell_word("a\\nb\\u202ec")
    ("'a b'", "$'a\\\\nb\\\\xe2\\\\x80\\\\xaec'")
    """
    if text.isprintable():
        from shlex import quote  # --help passes through this module

        return quote(text)
    return "$'" + "".join(_shell_character(character) for character in text) + "'"


def _shell_character(character: str) -> str:
    if character.isprintable():
        return f"\\{character}" if character in "\\'" else character
    if character == "\n":
        return "\\n"
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))


def lines(text: str) -> str:
    """Return text in which line ends and tabs stay, and other characters that cannot be seen are escaped.

    Escapes are those of JSON where JSON could contain the character as it is, so that a document stays the same.

    >>> lines("a\\x1b[2J\\nb\\x9b")
    'a\\\\x1b[2J\\nb\\\\u009b'
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in _SPACES else _escape(character) for character in text
    )


def _escape(character: str) -> str:
    code = ord(character)
    if code < ord(" "):
        return f"\\x{code:02x}"
    if code <= 0xFFFF:  # noqa: PLR2004 - the basic plane
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
