"""Numbers of things, for people."""


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return the number with its noun; the plural has an `s` where it is not given.

    >>> counted(1, "image"), counted(0, "image"), counted(2, "study", "studies")
    ('1 image', '0 images', '2 studies')
    """
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"
