"""Numbers with nouns."""


def count(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> count(1, "task"), count(2, "task")
    ('1 task', '2 tasks')
    """
    return f"{number} {noun}{'s' * (number != 1)}"
