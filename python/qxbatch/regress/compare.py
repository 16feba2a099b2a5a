"""Differences between what is expected and what was found, field by field."""

import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qxbatch.regress.observe import voxels

PLACES = ("affine", "bvec")
"""Millimetres and unit vectors: equal within 1e-4."""
SHOWN = 160


class Absent:
    """Stands where one side has nothing."""


def differences(expected: Any, found: Any, place: str = "") -> Iterator[str]:
    """Yield a line for each field that differs: its place, what is expected, what was found."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted({*expected, *found}):
            inner = f"{place}.{key}" if place else str(key)
            yield from differences(expected.get(key, Absent), found.get(key, Absent), inner)
    elif isinstance(expected, list) and isinstance(found, list):
        for k, (one, other) in enumerate(itertools.zip_longest(expected, found, fillvalue=Absent)):
            yield from differences(one, other, f"{place}[{k}]")
    elif not _same(expected, found, place):
        yield f"{place}: expected {_shown(expected)}, found {_shown(found)}"


def _same(expected: Any, found: Any, place: str) -> bool:
    numbers = isinstance(expected, int | float) and isinstance(found, int | float)
    if not numbers or isinstance(expected, bool) or isinstance(found, bool):
        return type(expected) is type(found) and bool(expected == found)
    near = 1e-4 if any(f".{word}[" in place for word in PLACES) else 1e-9
    return math.isclose(expected, found, rel_tol=1e-6, abs_tol=near)


def _shown(value: object) -> str:
    text = "nothing" if value is Absent else repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def reference_differences(reference: Path, found: dict[str, Any], known: dict[str, str]) -> Iterator[str]:
    """Yield a line for each reference image that is not among the found ones, or that is though it is known to differ.

    `known`: name of a reference image to the cause why no result equals it.
    """
    images = [image for session in found["sessions"].values() for image in session["images"].values()]
    paths = sorted(path for path in reference.rglob("*") if path.name.endswith((".nii", ".nii.gz")))
    names = set()
    for path in paths:
        name = path.relative_to(reference).as_posix()
        names.add(name)
        wanted = voxels(path)
        equal = any(
            not list(differences({"x": wanted}, {"x": {key: image[key] for key in wanted}})) for image in images
        )
        if not equal and name not in known:
            alike = sum(image["shape"] == wanted["shape"] for image in images)
            yield f"reference {name}: no image equals it ({alike} of its shape)"
        if equal and name in known:
            yield f"reference {name}: equals an image now; take it out of reference_differs"
    yield from (f"reference {name}: is listed in reference_differs and not there" for name in sorted({*known} - names))
