"""Parameters that a protocol can contain, and their default tolerances."""

import math
from enum import Enum
from typing import NamedTuple

from qxbatch.acquisition import Orientation


class Form(Enum):
    """The kind of value of a parameter."""

    NUMBER = "a number"
    NUMBERS = "a list of numbers"
    WORD = "a text"
    SHELLS = "a table of b-values"


class Field(NamedTuple):
    """A parameter that a protocol can contain; it has the name of a field of Acquisition."""

    name: str
    form: Form
    max_tolerance: float = 0.0
    """Upper limit of the default tolerance, in the unit of the field."""
    max_relative_tolerance: float = math.inf
    """Upper limit of the default tolerance, as a fraction of the value."""
    is_learned: bool = False
    """Whether `protocol learn` proposes it."""
    min_agreement: float = 0.5
    """A value is proposed if more than this fraction of the series agrees."""
    length: int = 0
    """Length of a list of numbers; 0: any."""
    choices: tuple[str, ...] = ()
    """Valid texts; empty: any."""
    value_if_absent: float | None = None
    """The value of a series without this header field: a scan without acceleration does not state a factor."""

    def tolerance(self, value: float) -> float:
        """Return the default tolerance of a value: the lower of both limits, rounded to one significant digit.

        >>> FIELDS["tr_ms"].tolerance(2000), FIELDS["tr_ms"].tolerance(8)
        (1.0, 0.08)
        """
        return float(f"{min(self.max_tolerance, self.max_relative_tolerance * abs(value)):.1g}")


FIELDS = {
    field.name: field
    for field in (
        Field("tr_ms", Form.NUMBER, 1.0, 0.01, is_learned=True),
        Field("te_ms", Form.NUMBERS, 0.1, 0.01, is_learned=True),
        Field("ti_ms", Form.NUMBER, 1.0, 0.01, is_learned=True),
        Field("flip_angle_deg", Form.NUMBER, 0.5, 0.02, is_learned=True),
        Field("matrix", Form.NUMBERS, is_learned=True, length=3),
        Field("voxel_mm", Form.NUMBERS, 0.01, 0.01, is_learned=True, length=3),
        Field("fov_mm", Form.NUMBERS, 1.0, length=3),
        Field("slice_gap_mm", Form.NUMBER, 0.05),
        Field("orientation", Form.WORD, choices=tuple(Orientation)),
        Field("phase_encoding_direction", Form.WORD, is_learned=True, choices=("i", "i-", "j", "j-", "k", "k-")),
        Field("phase_encoding_axis", Form.WORD, is_learned=True, choices=("i", "j", "k")),
        Field("in_plane_acceleration", Form.NUMBER, 0.05, is_learned=True, value_if_absent=1.0),
        Field("multiband_factor", Form.NUMBER, is_learned=True, value_if_absent=1.0),
        Field("partial_fourier", Form.NUMBER, 0.01, is_learned=True),
        Field("pixel_bandwidth_hz", Form.NUMBER, 5.0, 0.01, is_learned=True),
        Field("effective_echo_spacing_s", Form.NUMBER, max_relative_tolerance=0.01, max_tolerance=math.inf),
        Field("total_readout_time_s", Form.NUMBER, max_relative_tolerance=0.01, max_tolerance=math.inf),
        Field("b_values", Form.SHELLS, is_learned=True),
        Field("directions", Form.NUMBER),
        Field("coil", Form.WORD, is_learned=True, min_agreement=0.7),  # scanners select coil elements themselves
        Field("sequence_name", Form.WORD),
        Field("field_strength_t", Form.NUMBER, 0.2),
        Field("software", Form.WORD),
    )
}
"""The parameters by name, in the order in which they are written and reported."""
