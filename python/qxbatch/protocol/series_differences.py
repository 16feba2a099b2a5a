"""Compare the facts of a series with the expected values."""

from collections.abc import Iterator

from qxbatch.acquisition import Acquisition
from qxbatch.counted import counted
from qxbatch.protocol.difference import Difference, DifferenceKind
from qxbatch.protocol.fields import FIELDS, Field
from qxbatch.protocol.model import ExpectedSeries, SeriesParameters
from qxbatch.protocol.scanned import ScannedSeries
from qxbatch.protocol.values import CountRange, ExpectedNumbers, ExpectedShells, ExpectedWords, actual_text

_DIRECTION, _AXIS = "phase_encoding_direction", "phase_encoding_axis"


def fact(field: Field, acquisition: Acquisition) -> object:
    """Return a fact of a series; if it is missing, the value that applies without the header field, or None if not known.

    The axis of phase encoding also follows from its direction.
    """
    value = getattr(acquisition, field.name)
    if value is None and field.name == _AXIS and acquisition.phase_encoding_direction:
        return acquisition.phase_encoding_direction[0]
    return field.value_if_absent if value is None else value


def parameter_differences(entry: ExpectedSeries, expected: SeriesParameters, series: ScannedSeries) -> list[Difference]:
    """Return the differences of the kinds and parameters of a series; empty if it has no facts. Unknown kinds do not differ.

    `expected` are the parameters that `entry` has for the scanner of the series (`entry.parameters_on`).
    """
    acquisition = series.acquisition
    if acquisition is None:
        return []
    differences = []
    if entry.kinds is not None and series.kinds is not None and series.kinds != entry.kinds:
        differences.append(
            _difference(series, "kinds", ", ".join(sorted(entry.kinds)), ", ".join(sorted(series.kinds)))
        )
    complete = acquisition.complete_volumes
    # if the number of volumes differs, or volumes are missing, the shells differ too: one difference is enough
    has_other_volumes = expected.volumes is not None and complete is not None and complete not in expected.volumes
    for name, expectation in expected.values.items():
        actual = fact(FIELDS[name], acquisition)
        if isinstance(expectation, ExpectedShells):
            agrees = expectation.agrees(actual, compare_counts=not has_other_volumes and not series.is_incomplete)
        else:
            agrees = expectation.agrees(actual) or _has_axis_of(name, expectation, acquisition)
        if not agrees:
            differences.append(_difference(series, name, expectation.text, actual_text(actual)))
    return differences


def volume_difference(expected: SeriesParameters, series: ScannedSeries) -> Iterator[Difference]:
    """Yield the difference between the number of complete volumes and the expected number.

    Without an expected number, an incomplete series should have as many volumes as were planned or begun.
    """
    acquisition = series.acquisition
    if acquisition is None or acquisition.complete_volumes is None:
        return
    complete, volumes = acquisition.complete_volumes, expected.volumes
    if volumes is None and series.is_incomplete:
        planned_or_begun = max(acquisition.planned_volumes or 0, acquisition.acquired_volumes or 0)
        volumes = CountRange(planned_or_begun, planned_or_begun)
    if volumes is None or complete in volumes:
        return
    is_short = complete < volumes.least
    missing = acquisition.missing_slices if is_short else 0
    yield Difference(
        DifferenceKind.VOLUMES if is_short else DifferenceKind.PARAMETER,
        series.name,
        series.series_number,
        series.n,
        "volumes",
        volumes.text,
        str(complete),
        f"{counted(missing, 'slice')} missing" if missing else "",
    )


def _has_axis_of(name: str, expected: ExpectedNumbers | ExpectedWords, acquisition: Acquisition) -> bool:
    """Return whether a series whose polarity is not known has the axis of an expected direction."""
    axis = acquisition.phase_encoding_axis if acquisition.phase_encoding_direction is None else None
    if name != _DIRECTION or axis is None or not isinstance(expected, ExpectedWords):
        return False
    return axis in [choice.rstrip("-") for choice in expected.choices]


def _difference(series: ScannedSeries, field: str, expected: str, actual: str | None) -> Difference:
    return Difference(DifferenceKind.PARAMETER, series.name, series.series_number, series.n, field, expected, actual)
