"""The value that most series have."""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import TypeVar

from qxbatch.acquisition import Acquisition
from qxbatch.protocol.fields import FIELDS, Field, Form
from qxbatch.protocol.model import SeriesParameters
from qxbatch.protocol.scanned import ScannedSeries
from qxbatch.protocol.series_differences import fact
from qxbatch.protocol.values import (
    SHELL_LIMIT,
    CountRange,
    Expectation,
    ExpectedNumbers,
    ExpectedShells,
    ExpectedWords,
    is_same_shell,
    rounded_text,
)

Value = TypeVar("Value", bound=Hashable)
_CANDIDATES = 20
"""Number of the most frequent values that are examined; a majority usually contains one of them."""
_REACH = 2.0
"""Values within this number of default tolerances of a candidate are the same value, with some spread."""
_AXIS, _DIRECTION = "phase_encoding_axis", "phase_encoding_direction"


def usual_parameters(series: Sequence[ScannedSeries]) -> tuple[SeriesParameters, tuple[str, ...]]:
    """Return the usual parameters of series, and the names of fields whose values have no majority.

    A value is usual if more than the fraction `Field.min_agreement` of the series have it; a number of volumes, if more than half
    have it. A field is named only if more than half of the series have any value of it.

    Both results leave out fields that are not learned (`Field.is_learned`), fields that each series lacks or has with the value
    `Field.value_if_absent`, and the axis of phase encoding if there is a usual direction.
    """
    values: dict[str, Expectation] = {}
    undecided = []
    for name, field in FIELDS.items():
        if not field.is_learned or (name == _AXIS and _DIRECTION in values):
            continue
        facts = [
            fact(field, scan.acquisition) for scan in series if scan.acquisition and _has_planned_value(field, scan)
        ]
        if all(value is None or value == field.value_if_absent for value in facts):
            continue
        usual = usual_value(field, facts)
        if usual is not None:
            values[name] = usual
        elif sum(value is not None for value in facts) > len(facts) / 2:
            undecided.append(name)
    return SeriesParameters(values, _usual_volumes(series)), tuple(undecided)


def _has_planned_value(field: Field, series: ScannedSeries) -> bool:
    """Return whether a series has the planned value: an interrupted series lacks b-values."""
    return field.form is not Form.SHELLS or not series.is_incomplete


def usual_value(field: Field, facts: Sequence[object]) -> Expectation | None:
    """Return the value that most series have (`Field.min_agreement`); None if there is no such value."""
    if field.form is Form.WORD:
        value, count = _most_common([None if item is None else str(item) for item in facts])
        return None if value is None or not _is_majority(field, count, facts) else ExpectedWords((value,))
    if field.form is Form.SHELLS:
        shells, count = _most_common([shells_of(item) for item in facts])
        return None if not shells or not _is_majority(field, count, facts) else ExpectedShells(shells)
    return _usual_numbers(field, [_numbers(item) for item in facts])


def _usual_numbers(field: Field, facts: Sequence[tuple[float, ...] | None]) -> ExpectedNumbers | None:
    counts = Counter(facts)
    known_counts = {value: count for value, count in counts.items() if value is not None}
    candidates = sorted(known_counts, key=lambda value: (-known_counts[value], value))[:_CANDIDATES]
    best: dict[tuple[float, ...], int] = {}
    size = 0
    for candidate in candidates:
        members = {value: count for value, count in known_counts.items() if _is_near(field, candidate, value)}
        if sum(members.values()) > size:
            best, size = members, sum(members.values())
    if not best or not _is_majority(field, size, facts):
        return None
    usual = min(best, key=lambda value: (-best[value], value))
    spread = [max(abs(value[k] - usual[k]) for value in best) for k in range(len(usual))]
    tolerances = (
        max(field.tolerance(value), _rounded_up(distance)) for value, distance in zip(usual, spread, strict=True)
    )
    return ExpectedNumbers(usual, tuple(float(rounded_text(tolerance)) for tolerance in tolerances))


def _numbers(value: object) -> tuple[float, ...] | None:
    """Return a value as numbers without rounding noise."""
    if value is None:
        return None
    return tuple(float(rounded_text(float(number))) for number in (value if isinstance(value, tuple) else (value,)))


def _is_near(field: Field, candidate: tuple[float, ...], value: tuple[float, ...]) -> bool:
    return len(candidate) == len(value) and all(
        abs(a - b) <= _REACH * field.tolerance(a) for a, b in zip(candidate, value, strict=True)
    )


def _rounded_up(spread: float) -> float:
    """Return a spread rounded up to two significant digits."""
    text = f"{spread:.1e}"
    rounded = float(text)
    return rounded if rounded >= spread else rounded + float(f"1e{int(text.partition('e')[2]) - 1}")


def shells_of(value: object) -> tuple[tuple[float, int], ...] | None:
    """Return b-values with near values merged, since scanners write 995 and 1005 for a shell of 1000; None without b-values.

    Negative values, and values from a million on, are left out: they are no b-values, and a protocol cannot contain them.
    """
    groups: list[list[tuple[float, int]]] = []
    for b, count in sorted(value) if isinstance(value, tuple) else ():
        if groups and is_same_shell(_mean(groups[-1]), b):
            groups[-1].append((b, count))
        else:
            groups.append([(b, count)])
    shells = ((float(round(_mean(group), -1)), sum(count for _, count in group)) for group in groups)
    return tuple((b, count) for b, count in shells if 0 <= b < SHELL_LIMIT) or None


def _mean(group: Sequence[tuple[float, int]]) -> float:
    return sum(b * count for b, count in group) / sum(count for _, count in group)


def _usual_volumes(series: Sequence[ScannedSeries]) -> CountRange | None:
    counts = [_volumes(scan, scan.acquisition) for scan in series if scan.acquisition is not None]
    value, count = _most_common(counts)
    return CountRange(value, value) if value and count > len(counts) / 2 else None


def _volumes(series: ScannedSeries, acquisition: Acquisition) -> int | None:
    """Return the complete volumes of a series, or the planned volumes of an interrupted series; None if not known."""
    return acquisition.planned_volumes if series.is_incomplete else acquisition.complete_volumes


def _is_majority(field: Field, count: int, facts: Sequence[object]) -> bool:
    return count > field.min_agreement * len(facts)


def _most_common(values: Sequence[Value | None]) -> tuple[Value | None, int]:
    """Return the most frequent value and its count; among equally frequent values the first in the list.

    The value is None if None is the most frequent one, or if the list is empty.
    """
    most_common = Counter(values).most_common(1)
    return most_common[0] if most_common else (None, 0)
