"""Text that is safe to print: names come from strangers, and control characters in them move cursors and forge lines."""

_SPACES = "\n\t"


def one_line(text: str) -> str:
    """Return text in which control characters, line ends and what is no text are escaped.

    >>> one_line("a\\x1b[2J\\nb")
    'a\\\\x1b[2J\\\\nb'
    """
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)


def lines(text: str) -> str:
    """Return text in which line ends and tabs stay, and other characters that cannot be seen are escaped.

    Escapes are those of JSON where JSON could contain the character as it is, so that a document stays the same.

    >>> lines("a\\x1b[2J\\nb\\x9b")
    'a\\\\x1b[2J\\nb\\\\u009b'
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in _SPACES else _escape(each) for each in text)


def _escape(character: str) -> str:
    code = ord(character)
    if code < ord(" "):
        return f"\\x{code:02x}"
    if code <= 0xFFFF:  # noqa: PLR2004 - the basic plane
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
