"""Differences between expected and actual values, field by field."""

import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qxbatch.regress.observe import image_values

_COORDINATES = ("affine", "bvec")
"""Fields with millimetres or unit vectors."""
_MAX_LENGTH = 160
"""Maximum number of characters of a value in a message."""


class Absent:
    """Stands for a value that one side does not have."""


def differences(expected: Any, actual: Any, field: str = "") -> Iterator[str]:
    """Yield a line for each field that differs: its path, the expected and the actual value. `field` is the path of both values."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in sorted({*expected, *actual}):
            inner = f"{field}.{key}" if field else str(key)
            yield from differences(expected.get(key, Absent), actual.get(key, Absent), inner)
    elif isinstance(expected, list) and isinstance(actual, list):
        for k, (left, right) in enumerate(itertools.zip_longest(expected, actual, fillvalue=Absent)):
            yield from differences(left, right, f"{field}[{k}]")
    elif not _are_equal(expected, actual, field):
        yield f"{field}: expected {_value_text(expected)}, found {_value_text(actual)}"


def _are_equal(expected: Any, actual: Any, field: str) -> bool:
    """Return whether type and value are equal.

    Numbers may differ by a millionth, and by 1e-4 in _COORDINATES (1e-9 in other fields), and their types are not compared.
    """
    numbers = isinstance(expected, int | float) and isinstance(actual, int | float)
    if not numbers or isinstance(expected, bool) or isinstance(actual, bool):
        return type(expected) is type(actual) and bool(expected == actual)
    tolerance = 1e-4 if any(f".{word}[" in field for word in _COORDINATES) else 1e-9
    return math.isclose(expected, actual, rel_tol=1e-6, abs_tol=tolerance)


def _value_text(value: object) -> str:
    text = "nothing" if value is Absent else repr(value)
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}..."


def reference_differences(
    reference: Path, observed: dict[str, Any], unmatched_references: dict[str, str]
) -> Iterator[str]:
    """Compare the images below the folder `reference` with the images of the results, `observed` (a value of `observe`).

    `unmatched_references` maps names of reference images to the reason why no result equals them. Yield a line for each image that
    is not named there and equals no result, for each that is named and equals one, for each that cannot be read, and for each name
    without an image.
    """
    images = [image for session in observed["sessions"].values() for image in session["images"].values()]
    paths = sorted(path for path in reference.rglob("*") if path.name.endswith((".nii", ".nii.gz")))
    names = set()
    for path in paths:
        name = path.relative_to(reference).as_posix()
        names.add(name)
        if path.exists() and not path.is_file():
            yield f"reference {name}: cannot be read: it is not a regular file"
            continue
        try:
            expected = image_values(path)
        except ValueError as error:
            yield f"reference {name}: {error}"
            continue
        # x stands for the number of an image: the tolerance of a value depends on its path, such as x.affine[0][3]
        equal = any(
            not list(differences({"x": expected}, {"x": {key: image[key] for key in expected}})) for image in images
        )
        if not equal and name not in unmatched_references:
            count = sum(image["shape"] == expected["shape"] for image in images)
            yield f"reference {name}: no image equals it ({count} of its shape)"
        if equal and name in unmatched_references:
            yield f"reference {name}: equals an image now; remove it from reference_differs"
    yield from (
        f"reference {name}: is listed in reference_differs, but does not exist"
        for name in sorted({*unmatched_references} - names)
    )
