"""Columns of a PAR's image table: as the PAR itself defines them, else those of its version."""

import re
from typing import NamedTuple

_DEFINITION = re.compile(r"^#\s+(\S.*?)\s*\(\s*(?:(\d{1,3})\s*\*\s*)?(?:integer|float|string)\s*\)\s*$", re.IGNORECASE)


class Column(NamedTuple):
    """A named column of the image table."""

    name: str
    """In lower case, without units and the other text in brackets."""
    width: int = 1
    """The number of its values in a line: 2 for `recon resolution`."""


def defined_column(line: str) -> Column | None:
    """Return the column that a comment line defines, such as `#  recon resolution (x y)  (2*integer)`; else None."""
    match = _DEFINITION.match(line)
    if match is None:
        return None
    name = " ".join(re.split(r"[(<]", match[1], maxsplit=1)[0].split()).casefold()
    width = int(match[2] or 1)
    return Column(name, width) if name and width else None


def columns_of_version(version: float | None) -> tuple[Column, ...]:
    """Return the columns of a PAR of this version that does not define them; those of 4.2 if the version is unknown."""
    if version is not None and version < 4:  # noqa: PLR2004 (the version's own number)
        without_averages = tuple(column for column in _ECHO_TIME_TO_FLIP_ANGLE if column.name != "number of averages")
        return _FIRST + _SCALING + _GEOMETRY + without_averages
    columns = (
        _FIRST
        + _SIZE
        + _SCALING
        + _GEOMETRY[:2]
        + _THICKNESS
        + _GEOMETRY[2:]
        + _ECHO_TIME_TO_FLIP_ANGLE
        + _CARDIAC_AND_TURBO
    )
    if version is not None and version < 4.1:  # noqa: PLR2004
        return columns
    columns += _DIFFUSION
    return columns if version is not None and version < 4.2 else (*columns, Column("label type"))  # noqa: PLR2004


def _single_value_columns(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name) for name in names)


_FIRST = _single_value_columns(
    "slice number",
    "echo number",
    "dynamic scan number",
    "cardiac phase number",
    "image_type_mr",
    "scanning sequence",
    "index in rec file",
)
_SIZE = (Column("image pixel size"), Column("scan percentage"), Column("recon resolution", 2))
_SCALING = _single_value_columns("rescale intercept", "rescale slope", "scale slope", "window center", "window width")
_GEOMETRY = (
    Column("image angulation", 3),
    Column("image offcentre", 3),
    Column("image_display_orientation"),
    Column("slice orientation"),
    Column("fmri_status_indication"),
    Column("image_type_ed_es"),
    Column("pixel spacing", 2),
)
_THICKNESS = _single_value_columns("slice thickness", "slice gap")
_ECHO_TIME_TO_FLIP_ANGLE = _single_value_columns(
    "echo_time",
    "dyn_scan_begin_time",
    "trigger_time",
    "diffusion_b_factor",
    "number of averages",
    "image_flip_angle",
)
_CARDIAC_AND_TURBO = _single_value_columns(
    "cardiac frequency", "minimum rr-interval", "maximum rr-interval", "turbo factor", "inversion delay"
)
_DIFFUSION = (
    *_single_value_columns(
        "diffusion b value number",
        "gradient orientation number",
        "contrast type",
        "diffusion anisotropy type",
    ),
    Column("diffusion", 3),
)
