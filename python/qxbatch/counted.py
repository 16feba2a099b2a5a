"""Counts with their nouns, for messages."""


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun; the default plural adds an `s`.

    >>> counted(1, "image"), counted(0, "image"), counted(2, "study", "studies")
    ('1 image', '0 images', '2 studies')
    """
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"
