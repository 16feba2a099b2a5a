"""b-values and directions of a diffusion scan."""

from collections import Counter

from qxbatch.inspect.observed import ObservedSeries

BValues = tuple[tuple[float, int], ...]
"""b-values in s/mm2, each with the number of its volumes."""
_MIN_SQUARED_LENGTH = 1e-3
"""A gradient vector has a direction if its squared length is greater."""


def diffusion(observed: ObservedSeries) -> tuple[BValues | None, int | None]:
    """Return b-values with the number of their volumes, and the number of different directions.

    The source is the headers if each volume has a b-value, else .bval and .bvec of the converter. If the headers have
    b-values but no directions, the number of directions is that of .bvec. Both are None without a b-value above 0.
    """
    main = observed.main_stack
    table = observed.b_values
    volumes_with_b = sum(count for _, count in main.b_values) if main is not None else 0
    if main is not None and volumes_with_b == main.volumes:
        b_values, directions = tuple(main.b_values), main.direction_count or _directions(observed)
    else:
        b_values, directions = tuple(sorted(Counter(round(value, 1) for value in table).items())), _directions(observed)
    if not any(value > 0 for value, _ in b_values):
        return None, None
    return b_values, directions


def _directions(observed: ObservedSeries) -> int | None:
    pairs = zip(observed.b_values, observed.b_vectors, strict=False)
    directions = {
        tuple(round(component, 3) for component in vector)
        for value, vector in pairs
        if round(value, 1) > 0 and sum(component * component for component in vector) > _MIN_SQUARED_LENGTH
    }
    return len(directions) or None
