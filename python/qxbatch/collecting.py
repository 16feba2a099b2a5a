"""How often Python's garbage collector looks for cycles of objects."""

import gc

NEW_OBJECTS = 500_000
"""Number of new objects that starts a collection: most objects of an import are used until its end, and few are in cycles."""


def collect_seldom() -> None:
    """Look for cycles less often than by default."""
    gc.set_threshold(NEW_OBJECTS)


def skip_last_collection() -> None:
    """Skip the collection at the end of the process: it takes longer the more objects exist."""
    gc.freeze()
