"""How often Python's garbage collector looks for cycles of objects."""

import gc

OBJECTS = 500_000
"""New objects between two collections: most objects of an import are used until its end, and few are in cycles."""


def collect_seldom() -> None:
    """Look for cycles less often than by default."""
    gc.set_threshold(OBJECTS)


def skip_last_collection() -> None:
    """Skip the collection at the end of the process: it takes longer the more objects exist."""
    gc.freeze()
