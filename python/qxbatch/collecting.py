"""How often Python looks for cycles of objects."""

import gc

OBJECTS = 50_000
"""Objects that are made before Python looks: what an import makes lasts to its end, and has few cycles."""


def collect_seldom() -> None:
    """Look for cycles less often than Python does by itself."""
    gc.set_threshold(OBJECTS)
