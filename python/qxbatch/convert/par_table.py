"""The table of a PAR as nibabel's structured array, also for versions that nibabel cannot parse; and the general lines."""

from typing import Any, NamedTuple

from qxbatch.convert.run import Cancel, raise_if_cancelled
from qxbatch.parrec.header import ParHeader

_FLOATS = {
    "rescale intercept": 1,
    "rescale slope": 1,
    "scale slope": 1,
    "slice thickness": 1,
    "slice gap": 1,
    "pixel spacing": 2,
    "diffusion_b_factor": 1,
    "image angulation": 3,
    "image offcentre": 3,
    "echo_time": 1,
    "image_flip_angle": 1,
    "diffusion": 3,
}
"""Columns of floating-point numbers, and how many of them each has in a line."""
_INTEGERS = {
    "slice number": 1,
    "echo number": 1,
    "dynamic scan number": 1,
    "cardiac phase number": 1,
    "image_type_mr": 1,
    "scanning sequence": 1,
    "image pixel size": 1,
    "recon resolution": 2,
    "slice orientation": 1,
    "diffusion b value number": 1,
    "gradient orientation number": 1,
    "label type": 1,
}
"""Columns of integers, and how many of them each has in a line."""
_OPTIONAL = {
    "diffusion",
    "diffusion b value number",
    "gradient orientation number",
    "label type",
    "image angulation",
    "image offcentre",
}
"""Columns that are left out of the array if the PAR does not have them."""
_TOO_LARGE = 1e15
"""Values of a column are below this: no scan has larger ones, and a float represents every integer only up to 9e15."""
_DEFAULTS = {
    "echo_time": [0.0],
    "image_flip_angle": [0.0],
    "scanning sequence": [0.0],
    "diffusion_b_factor": [0.0],
}
"""Value of all images in a column that the PAR does not have."""
_AXES = 3


class GeneralLines(NamedTuple):
    """The general lines of a PAR about the whole scan."""

    angulation: Any
    """Angles of the scan as ap, fh, rl, in degrees."""
    off_centre: Any
    """Centre of the scan as ap, fh, rl, in mm."""
    is_diffusion: bool


def general_lines(header: ParHeader) -> GeneralLines:
    """Return the general lines. Raises ValueError when angulation or off-centre is missing."""
    import numpy as np

    angulation = np.array(header.floats("angulation midslice"))
    off_centre = np.array(header.floats("off centre midslice"))
    if angulation.size != _AXES or off_centre.size != _AXES:
        raise ValueError("the PAR has no angulation and off-centre of its slices")
    return GeneralLines(angulation, off_centre, bool(header.integer("diffusion")))


def image_defs(header: ParHeader, cancel: Cancel | None = None) -> Any:
    """Return the image table as the structured array of nibabel's PARRECHeader.

    Version 3 has pixel size, matrix and thickness in the general lines. Raises ValueError when the PAR lists no images, or
    when a required column is absent or not usable, and CancelledError: a table of 100,000 lines takes some seconds.
    """
    import numpy as np

    if not header.lines:
        raise ValueError("the PAR lists no images")
    columns = {}
    for name, width in (_INTEGERS | _FLOATS).items():
        raise_if_cancelled(cancel)
        columns[name] = _column(header, name, width, is_integer=name in _INTEGERS)
    present = {name: values for name, values in columns.items() if values is not None}
    types = [(name, int if name in _INTEGERS else float, values.shape[1:]) for name, values in present.items()]
    table = np.zeros(len(header.lines), dtype=types)
    for name, values in present.items():
        table[name] = values
    return table


def _column(header: ParHeader, name: str, width: int, *, is_integer: bool) -> Any:
    """Return a column with `width` numbers in a line, as an array (lines, or lines x width); None if an optional one is absent."""
    import numpy as np

    values = header.column(name) or _from_general_lines(header, name, width)
    if not values:
        if name in _OPTIONAL:
            return None
        raise ValueError(f"the PAR has no column '{name}'")
    array = np.array(values, dtype=float)
    if array.shape != (len(header.lines), width) or not (np.abs(array) < _TOO_LARGE).all():
        raise ValueError(f"the PAR's column '{name}' is not usable")
    array = np.rint(array).astype(int) if is_integer else array
    return array[:, 0] if width == 1 else array


def _from_general_lines(header: ParHeader, name: str, width: int) -> list[tuple[float, ...]]:
    """Return one value for all images, from the general lines (version 3), else a default; empty if there is neither."""
    values = header.floats(name) or _DEFAULTS.get(name, [])
    return [tuple(values[:width])] * len(header.lines) if len(values) >= width else []
