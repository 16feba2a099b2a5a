"""Facts of an acquisition as short text, for tables and pages. An unknown value is an empty text."""

from collections.abc import Sequence

from qxbatch.acquisition import Acquisition

_MINUTE = 60
_HOUR = 3600


def moment_text(moment: str | None) -> str:
    """Return date and time to the second; only the time if `moment` has no date.

    >>> moment_text("2019-05-02T10:11:12.5")
    '2019-05-02 10:11:12'
    """
    return (moment or "").partition(".")[0].replace("T", " ")


def duration_text(seconds: float | None) -> str:
    """Return minutes and seconds, with hours from one hour on.

    >>> duration_text(302.4), duration_text(3725.0), duration_text(None)
    ('5:02', '1:02:05', '')
    """
    if seconds is None:
        return ""
    rounded = round(seconds)
    hours, minutes = divmod(rounded // _MINUTE, _MINUTE)
    end = f"{rounded % _MINUTE:02}"
    return f"{hours}:{minutes:02}:{end}" if hours else f"{minutes}:{end}"


def number_text(value: float | None, digits: int = 6) -> str:
    """Return a number rounded to `digits` significant digits; an empty text for None."""
    return "" if value is None else f"{value:.{digits}g}"


def numbers_text(values: Sequence[float] | None, between: str = ", ", digits: int = 4) -> str:
    """Return numbers, rounded to `digits` significant digits and joined by `between`: echo times, or the sides of a voxel.

    >>> numbers_text((2.0, 2.0, 2.5), " x ")
    '2 x 2 x 2.5'
    """
    return between.join(f"{value:.{digits}g}" for value in values or ())


def volumes_text(acquisition: Acquisition) -> str:
    """Return the numbers of complete and planned volumes; only the first if the second is unknown.

    >>> volumes_text(Acquisition(complete_volumes=212, planned_volumes=300))
    '212 of 300'
    """
    if acquisition.complete_volumes is None:
        return ""
    planned = acquisition.planned_volumes
    return f"{acquisition.complete_volumes}" if planned is None else f"{acquisition.complete_volumes} of {planned}"


def phase_encoding_text(acquisition: Acquisition) -> str:
    """Return the direction of phase encoding, such as `j-`, or its axis, such as `j`, if the polarity is unknown."""
    return acquisition.phase_encoding_direction or acquisition.phase_encoding_axis or ""


def acceleration_text(acquisition: Acquisition) -> str:
    """Return the acceleration in plane and the multiband factor, if they are above 1.

    >>> acceleration_text(Acquisition(in_plane_acceleration=2.0, multiband_factor=3))
    '2, MB 3'
    """
    plane = number_text(acquisition.in_plane_acceleration, 3) if (acquisition.in_plane_acceleration or 1) > 1 else ""
    bands = f"MB {acquisition.multiband_factor}" if (acquisition.multiband_factor or 1) > 1 else ""
    return ", ".join(text for text in (plane, bands) if text)


def shells_text(acquisition: Acquisition) -> str:
    """Return the b-values in s/mm2, each with the number of its volumes.

    >>> shells_text(Acquisition(b_values=((0.0, 1), (1500.0, 12))))
    'b0 x1, b1500 x12'
    """
    return ", ".join(f"b{value:g} x{count}" for value, count in acquisition.b_values or ())
