"""How often Python looks for cycles of objects."""

import gc

OBJECTS = 500_000
"""Objects that are made before Python looks: what an import makes lasts to its end, and has few cycles."""


def collect_seldom() -> None:
    """Look for cycles less often than Python does by itself."""
    gc.set_threshold(OBJECTS)


def skip_last_collection() -> None:
    """Keep Python from looking for cycles once more when the process ends, which takes longer the more objects there are."""
    gc.freeze()
