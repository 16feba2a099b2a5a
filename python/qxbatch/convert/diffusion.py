"""Tables of b-values and gradient directions: their form, and their agreement with the headers."""

import math
import re
from pathlib import Path

from qxbatch.convert.copies import is_map
from qxbatch.convert.nifti import Nifti
from qxbatch.core import ImageCheck
from qxbatch.model import Output

_NORM = 0.05
"""Accepted distance of a gradient direction's length from 1."""
_LEAST, _PART = 1.0, 0.01
"""Accepted difference of a b-value: in s/mm2, and as a part of it."""
_NAMES = re.compile(r"(?<![a-z])(dwi|dti|dki|diff|diffusion|tensor|hardi|noddi)(?![a-z])", re.IGNORECASE)
_REFERENCE = re.compile(r"sb_?ref", re.IGNORECASE)


def table_findings(output: Output, image: Nifti) -> list[str]:
    """Return what is wrong with the tables themselves: their size, their lengths."""
    paths = [output.sidecars.get("bval"), output.sidecars.get("bvec")]
    if paths == [None, None]:
        return []
    if None in paths:
        return ["it has b-values or gradient directions, but not both."]
    try:
        bvals, bvecs = (_table(path) for path in paths if path)
    except (ValueError, OSError) as error:
        return [f"its b-values or gradient directions cannot be read ({error})."]
    count, sizes = sum(map(len, bvals)), [len(row) for row in bvecs]
    if count != image.volumes or sizes != [image.volumes] * 3:
        shape = " + ".join(map(str, sizes))
        return [f"{count} b-values and {shape} components of directions for {image.volumes} volumes."]
    lengths = [math.hypot(*direction) for direction in zip(*bvecs, strict=True)]
    sound = all(abs(length) <= _NORM or abs(length - 1) <= _NORM for length in lengths)
    if sound and all(value >= 0 for row in bvals for value in row):
        return []
    return ["its b-values or gradient directions are not usable (a negative b, or a length that is not 1)."]


def b_value_findings(output: Output, image: Nifti, check: ImageCheck, description: str) -> list[str]:
    """Return where the b-values of an image differ from those of its headers, or are missing.

    b0 volumes that the headers confirm, single-band references, derived maps and trace images need no table.
    """
    known = any(b is not None or nominal is not None for b, nominal in check.b_values)
    written = _b_values(output)
    if written is None:
        return _without_table(output, image, check, description, known=known)
    if len(written) != len(check.b_values) or is_map(output.suffix):
        return []
    if check.contradiction is not None:
        volume, low, high = check.contradiction
        return [
            f"the headers of volume {volume + 1} contradict each other: b = {low:g} and b = {high:g}; "
            f"its table says {written[volume]:g}."
        ]
    if not known:
        return ["its b-values cannot be compared: the headers have none."]
    wrong = [
        (volume, value, header)
        for volume, (value, header) in enumerate(zip(written, check.b_values, strict=True))
        if not _agrees(value, header)
    ]
    if not wrong:
        return []
    volume, value, (b, nominal) = wrong[0]
    expected = nominal if b is None else b
    more = f" ({len(wrong)} of {len(written)} volumes differ)" if len(wrong) > 1 else ""
    return [f"the b-value of volume {volume + 1} is {value:g}, its headers say {expected or 0:g}{more}."]


def _without_table(output: Output, image: Nifti, check: ImageCheck, description: str, *, known: bool) -> list[str]:
    if is_map(output.suffix) or check.derived or check.isotropic:
        return []
    highest = max((max(b or 0, nominal or 0) for b, nominal in check.b_values), default=0)
    if highest > 0:
        return [f"its headers say b = {highest:g}, and it has no table of b-values."]
    named = image.volumes > 1 and _NAMES.search(description) is not None
    if known or not (check.diffusion or named) or _REFERENCE.search(description):
        return []
    return ["it is a diffusion scan, and neither its headers nor the converter have b-values."]


def _agrees(value: float, header: tuple[float | None, float | None]) -> bool:
    """A volume whose header has no b-value beside others that have one is a b0."""
    candidates = [b for b in header if b is not None] or [0.0]
    return any(abs(value - b) <= max(_LEAST, _PART * b) for b in candidates)


def _b_values(output: Output) -> list[float] | None:
    path = output.sidecars.get("bval")
    if path is None:
        return None
    try:
        return [value for row in _table(path) for value in row]
    except (ValueError, OSError):
        return []


def _table(path: Path) -> list[list[float]]:
    lines = path.read_text(encoding="ascii").splitlines()
    return [[float(word) for word in line.split()] for line in lines if line.strip()]
