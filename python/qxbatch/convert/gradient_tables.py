"""Tables of b-values and gradient directions: checks their form, and their agreement with the headers."""

import math
import operator
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from qxbatch.convert.extra_images import has_map
from qxbatch.convert.nifti import Nifti, determinant
from qxbatch.convert.nifti_geometry import Affine
from qxbatch.core import ImageCheck
from qxbatch.model import Output
from qxbatch.os_error import error_text

_LENGTH_TOLERANCE = 0.05
"""Accepted deviation of a gradient direction's length from 0 or 1."""
_B_TOLERANCE, _RELATIVE_B_TOLERANCE = 1.0, 0.01
"""Accepted difference of a b-value: the larger of _B_TOLERANCE (s/mm2) and _RELATIVE_B_TOLERANCE of the b-value."""
_ANGLE_TOLERANCE = 0.04
"""Accepted angle between a gradient direction and that of its header, rad."""
_ALL_SIGNS = ((1, 1, 1), (-1, 1, 1), (1, -1, 1), (1, 1, -1))
"""Factors for the three components of a direction, without those that give the opposite directions; the first changes nothing."""
_Directions = dict[int, tuple[float, ...]]
"""Direction along the voxel axes, by index of the volume."""
_MIN_WEIGHTED_B, _MIN_DIRECTIONAL_VOLUMES = 50, 3
"""A volume with a b-value above _MIN_WEIGHTED_B (s/mm2) is diffusion-weighted. Trace images have no directions, but a scan with
_MIN_DIRECTIONAL_VOLUMES or more weighted volumes of one b-value does not consist of trace images.
"""
_SCAN_NAMES = re.compile(
    r"(?<![a-z])(ss|ax|sag|cor|d)?(dwis?|dti|dki|dsi|dmri|diff|diffusion|diffusie|tensor|hardi|noddi|mddw|multishell)(?![a-z])",
    re.IGNORECASE,
)
"""Words in the names of diffusion scans."""
_REFERENCE_NAME = re.compile(r"sb_?ref", re.IGNORECASE)
"""Part of the names of single-band references."""


def table_findings(output: Output, image: Nifti) -> list[str]:
    """Return the faults of an image's tables that are visible without headers: form, negative b-values, lengths of directions."""
    paths = [output.sidecars.get("bval"), output.sidecars.get("bvec")]
    if paths == [None, None]:
        return []
    if None in paths:
        return ["it has b-values or gradient directions, but not both."]
    try:
        bvals, bvecs = (_read_table(path) for path in paths if path)
    except (ValueError, OSError) as error:
        return [f"its b-values or gradient directions cannot be read ({error_text(error)})."]
    count, sizes = sum(map(len, bvals)), [len(row) for row in bvecs]
    if count != image.volumes or sizes != [image.volumes] * 3:
        shape = " + ".join(map(str, sizes))
        return [f"{count} b-values and {shape} components of directions for {image.volumes} volumes."]
    lengths = [math.hypot(*direction) for direction in zip(*bvecs, strict=True)]
    are_valid = all(abs(length) <= _LENGTH_TOLERANCE or abs(length - 1) <= _LENGTH_TOLERANCE for length in lengths)
    if are_valid and all(value >= 0 for row in bvals for value in row):
        return []
    return ["its b-values or gradient directions are not usable (a negative b, or a length that is not 0 or 1)."]


def b_value_findings(output: Output, image: Nifti, check: ImageCheck, description: str) -> list[str]:
    """Return where the b-values of an image differ from those of its headers, or are missing.

    `description` is the SeriesDescription, else the ProtocolName. b0 volumes that the headers confirm, single-band references,
    derived maps and trace images need no table. A table that cannot be read, or has another number of values than the image has
    volumes, is not compared: `table_findings` reports it.
    """
    headers_have_b = any(b is not None or nominal is not None for b, nominal in check.b_values)
    table = _b_values(output)
    if table is None:
        return _missing_table_findings(output, image, check, description, headers_have_b=headers_have_b)
    if len(table) != len(check.b_values) or has_map(output.suffix):
        return []
    if check.contradicting_b_values is not None:
        volume, low, high = check.contradicting_b_values
        return [
            f"the headers of volume {volume + 1} contradict each other: b = {low:g} and b = {high:g}; "
            f"its table says {table[volume]:g}."
        ]
    if not headers_have_b:
        return ["its b-values cannot be compared: the headers have none."]
    wrong = [
        (volume, value, header)
        for volume, (value, header) in enumerate(zip(table, check.b_values, strict=True))
        if not _b_agrees_with_header(value, header)
    ]
    if not wrong:
        return _unknown_b_findings(table, check)
    volume, value, (b, nominal) = wrong[0]
    expected = nominal if b is None else b
    more = f" ({len(wrong)} of {len(table)} volumes differ)" if len(wrong) > 1 else ""
    return [f"the b-value of volume {volume + 1} is {value:g}, its headers say {expected or 0:g}{more}."]


def _unknown_b_findings(table: Sequence[float], check: ImageCheck) -> list[str]:
    """Return a finding if a volume without weighting in the table has a direction in its headers, and no b-value there."""
    unknown = [
        volume
        for volume, (value, header, direction) in enumerate(zip(table, check.b_values, check.directions, strict=True))
        if value <= _MIN_WEIGHTED_B
        and header == (None, None)
        and direction is not None
        and abs(math.hypot(*direction) - 1) <= _LENGTH_TOLERANCE
    ]
    if not unknown:
        return []
    volume = unknown[0]
    more = f" ({len(unknown)} of {len(table)} volumes are like this)" if len(unknown) > 1 else ""
    return [
        f"the headers of volume {volume + 1} have a gradient direction and no b-value; "
        f"its table says {table[volume]:g}{more}."
    ]


def direction_findings(output: Output, image: Nifti, check: ImageCheck) -> list[str]:
    """Return where gradient directions differ from those of the headers, or that all of them are zero.

    Directions of the table are along the voxel axes, with x negated if the axes are right-handed (the convention of FSL);
    those of the check are in patient axes (LPS+), also those that classic GE headers give along frequency, phase and slice
    (`encoding_directions`). A direction and its opposite are the same.
    """
    directions = _directions(output)
    b_values = _b_values(output) or []
    if len(directions) != len(check.directions) or len(b_values) != len(directions) or has_map(output.suffix):
        return []
    weighted = [k for k, b in enumerate(b_values) if b > _MIN_WEIGHTED_B]
    volumes_of_one_b = max(Counter(b_values[k] for k in weighted).values(), default=0)
    if (
        volumes_of_one_b >= _MIN_DIRECTIONAL_VOLUMES
        and not check.is_isotropic
        and not any(math.hypot(*directions[k]) > _LENGTH_TOLERANCE for k in weighted)
    ):
        return ["all its gradient directions are zero."]
    wrong = _differing_directions(directions, _header_directions(check.directions, weighted, image.affine))
    wrong += _differing_encoding_directions(
        directions, _header_directions(check.encoding_directions, weighted, image.affine), check
    )
    if not wrong:
        return []
    volume, expected = wrong[0]
    actual, header_direction = (
        " ".join(f"{component:.3f}" for component in vector) for vector in (directions[volume], expected)
    )
    more = f" ({len(wrong)} of {len(weighted)} directions differ)" if len(wrong) > 1 else ""
    return [f"the gradient direction of volume {volume + 1} is {actual}, by its header {header_direction}{more}."]


def are_directions_comparable(output: Output, check: ImageCheck) -> bool:
    """Return whether the headers have the direction, in patient axes, of every weighted volume in the table of an image."""
    table = gradient_table(output)
    weighted = [k for k, (b, _) in enumerate(table) if b > _MIN_WEIGHTED_B]
    if not weighted or len(table) != len(check.directions) or has_map(output.suffix):
        return False
    headers = [check.directions[k] for k in weighted]
    return all(header is not None and abs(math.hypot(*header) - 1) <= _LENGTH_TOLERANCE for header in headers)


def _header_directions(
    headers: Sequence[tuple[float, float, float] | None], weighted: Sequence[int], affine: Affine
) -> _Directions:
    """Return the directions of the headers along the voxel axes; without those whose length is not 1."""
    directions = {k: header for k in weighted if (header := headers[k]) is not None}
    return {
        k: along_voxels(header, affine)
        for k, header in directions.items()
        if abs(math.hypot(*header) - 1) <= _LENGTH_TOLERANCE
    }


def _differing_directions(
    directions: Sequence[Sequence[float]], expected: _Directions
) -> list[tuple[int, tuple[float, ...]]]:
    """Return index and expected direction of each volume whose direction differs from the expected one."""
    return [(k, direction) for k, direction in expected.items() if not direction_agrees(directions[k], direction)]


def _differing_encoding_directions(
    directions: Sequence[Sequence[float]], expected: _Directions, check: ImageCheck
) -> list[tuple[int, tuple[float, ...]]]:
    """Return index and expected direction of each volume whose direction differs from the expected one.

    The expected directions are along the voxel axes. The headers (classic GE) give directions along frequency, phase and slice, so
    the signs of their components may not be certain. Then the signs with which most volumes agree are used for all volumes.
    Volumes without direction in the table are left out: they may be trace images.
    """
    compared = {k: direction for k, direction in expected.items() if math.hypot(*directions[k]) > _LENGTH_TOLERANCE}
    signs = _ALL_SIGNS[:1] if check.has_known_signs else _ALL_SIGNS
    candidates = (
        _differing_directions(
            directions, {k: tuple(map(operator.mul, sign, direction)) for k, direction in compared.items()}
        )
        for sign in signs
    )
    return min(candidates, key=len)


def along_voxels(direction: tuple[float, float, float], affine: Affine) -> tuple[float, ...]:
    """Convert a direction from patient axes (LPS+) to the voxel axes of an image, in the convention of FSL."""
    x, y, z = direction
    patient = (-x, -y, z)
    components = []
    for axis in range(3):
        column = [row[axis] for row in affine]
        length = math.hypot(*column)
        components.append(sum(a * b for a, b in zip(column, patient, strict=True)) / length)
    if determinant(affine) > 0:
        components[0] = -components[0]
    return tuple(components)


def direction_agrees(direction: Sequence[float], expected: Sequence[float]) -> bool:
    """Return whether a direction has the length 1 and agrees with the expected direction or with its opposite."""
    length = math.hypot(*direction)
    product = abs(sum(map(operator.mul, direction, expected)))
    return abs(length - 1) <= _LENGTH_TOLERANCE and product >= math.cos(_ANGLE_TOLERANCE) * length * math.hypot(
        *expected
    )


def gradient_table(output: Output) -> list[tuple[float, tuple[float, ...]]]:
    """Return b-value (s/mm2) and direction of each volume by an image's tables; empty if a table is missing or unreadable."""
    values, directions = _b_values(output) or [], _directions(output)
    return list(zip(values, directions, strict=True)) if len(values) == len(directions) else []


def _directions(output: Output) -> list[tuple[float, ...]]:
    """Return the gradient direction of each volume; empty if the table is missing or cannot be read."""
    path = output.sidecars.get("bvec")
    try:
        rows = [] if path is None else _read_table(path)
    except (ValueError, OSError):
        return []
    return list(zip(*rows, strict=False)) if len(rows) == 3 else []  # noqa: PLR2004 (x, y, z)


def _missing_table_findings(
    output: Output, image: Nifti, check: ImageCheck, description: str, *, headers_have_b: bool
) -> list[str]:
    """Return a finding if an image without a table of b-values should have one; `headers_have_b`: any header has a b-value."""
    if has_map(output.suffix) or check.is_isotropic or (check.is_derived and not _has_several_directions(check)):
        return []
    highest = max((max(b or 0, nominal or 0) for b, nominal in check.b_values), default=0)
    if highest > 0:
        return [f"its headers say b = {highest:g}, and it has no table of b-values."]
    is_named_diffusion = image.volumes > 1 and _SCAN_NAMES.search(description) is not None
    if headers_have_b or not (check.is_diffusion or is_named_diffusion) or _REFERENCE_NAME.search(description):
        return []
    return ["it is a diffusion scan, and neither its headers nor the converter have b-values."]


def _has_several_directions(check: ImageCheck) -> bool:
    """Return whether the headers of several volumes have different directions: a corrected scan, which is no map."""
    directions = [
        direction
        for (b, nominal), direction in zip(check.b_values, check.directions, strict=True)
        if direction is not None and max(b or 0, nominal or 0) > _MIN_WEIGHTED_B
    ]
    return any(not direction_agrees(direction, directions[0]) for direction in directions)


def _b_agrees_with_header(value: float, header: tuple[float | None, float | None]) -> bool:
    """Return whether a b-value agrees with the measured or nominal one of its header; a header with neither means b = 0."""
    candidates = [b for b in header if b is not None] or [0.0]
    return any(b_agrees(value, b) for b in candidates)


def b_agrees(value: float, expected: float) -> bool:
    """Return whether two b-values (s/mm2) agree."""
    return abs(value - expected) <= max(_B_TOLERANCE, _RELATIVE_B_TOLERANCE * expected)


def _b_values(output: Output) -> list[float] | None:
    """Return the table of b-values: None if there is none, empty if it cannot be read."""
    path = output.sidecars.get("bval")
    if path is None:
        return None
    try:
        return [value for row in _read_table(path) for value in row]
    except (ValueError, OSError):
        return []


def _read_table(path: Path) -> list[list[float]]:
    lines = path.read_text(encoding="ascii").splitlines()
    return [[float(word) for word in line.split()] for line in lines if line.strip()]
