"""Propose a protocol from the majority of the sessions (docs/protocol.md)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from qxbatch.counted import counted
from qxbatch.protocol.model import ExpectedSeries, Protocol, SeriesParameters, literal_glob
from qxbatch.protocol.scanned import ScannedSession, scanner_key
from qxbatch.protocol.values import CountRange, Expectation, ExpectedNumbers
from qxbatch.study.groups import ScannerGroup, SeriesKey, groups_by_scanner, spelling
from qxbatch.study.majority import usual_parameters


class LearnedProtocol(NamedTuple):
    """A proposed protocol and its sources."""

    protocol: Protocol
    session_counts: Mapping[str, int]
    """Maps each scanner to the number of its sessions."""
    rare_series: tuple[str, ...] = ()
    """Names of series that too few sessions of their scanner have, and that no entry of the protocol matches."""
    not_evaluable_series: tuple[str, ...] = ()
    """Names of series that are not evaluable, such as localizers, reports and saved screens."""


def learn(sessions: Iterable[ScannedSession], least: int = 1) -> LearnedProtocol:
    """Return the protocol of the majority of sessions, by scanner; scanners with fewer than `least` sessions are omitted.

    The order of the sessions does not matter.
    """
    groups = [group for group in groups_by_scanner(sessions) if len(group.sessions) >= least]
    groups_by_count: dict[SeriesKey, dict[CountRange, list[ScannerGroup]]] = {}
    for group in groups:
        for key, count in _expected_counts(group, groups).items():
            groups_by_count.setdefault(key, {}).setdefault(count, []).append(group)
    ordered = sorted(groups_by_count, key=lambda key: (_position(key, groups), key.order))
    entries = [
        _entry(key, count, expecting, groups) for key in ordered for count, expecting in groups_by_count[key].items()
    ]
    all_series = [series for group in groups for session in group.sessions for series in session.series]
    return LearnedProtocol(
        Protocol(tuple(entries), _software(groups)),
        {group.scanner: len(group.sessions) for group in groups},
        _sorted(
            series.name
            for series in all_series
            if series.is_evaluable and not any(entry.matches_name(series.name) for entry in entries)
        ),
        _sorted(series.name for series in all_series if not series.is_evaluable),
    )


def _software(groups: Sequence[ScannerGroup]) -> dict[str, tuple[str, ...]]:
    """Return the software versions of each scanner: those of the groups first, then further scanners of their sessions."""
    names = {scanner_key(group.scanner): group.scanner for group in groups}
    versions: dict[str, set[str]] = {group.scanner: set() for group in groups}
    for session in (session for group in groups for session in group.sessions):
        for scanner in session.compared_scanners:
            name = names.setdefault(scanner_key(scanner), scanner)
            versions.setdefault(name, set()).add(session.software_of(scanner))
    return {name: tuple(sorted(found - {""})) for name, found in versions.items()}


def _expected_counts(group: ScannerGroup, groups: Sequence[ScannerGroup]) -> Mapping[SeriesKey, CountRange]:
    """Return how often each series is expected on a scanner.

    For a scanner with too few sessions for a majority, these are the counts of the most similar scanner with enough sessions,
    if `group` has more than half of the series that are expected on that scanner; else they are its own.
    """
    large = [candidate for candidate in groups if not candidate.is_small]
    if group.is_small and large:
        nearest = max(large, key=lambda candidate: _shared_count(candidate, group))
        if 2 * _shared_count(nearest, group) > len(nearest.usual_counts):
            return nearest.usual_counts
    return group.usual_counts


def _shared_count(large: ScannerGroup, small: ScannerGroup) -> int:
    return sum(small.session_count(key) > 0 for key in large.usual_counts)


def _position(key: SeriesKey, groups: Sequence[ScannerGroup]) -> tuple[int, float]:
    """Return the index of the first scanner that has a series, and the usual position of the series in its sessions."""
    return next((k, group.usual_position(key)) for k, group in enumerate(groups) if group.session_count(key))


def _entry(
    key: SeriesKey, count: CountRange, expecting: Sequence[ScannerGroup], groups: Sequence[ScannerGroup]
) -> ExpectedSeries:
    """Return the entry of a series that is expected with this count on some scanners, `expecting`; `groups` are all scanners."""
    usual = {group.scanner: usual_parameters(group.series_of(key)) for group in expecting if group.session_count(key)}
    common, specific = _split_common({scanner: parameters for scanner, (parameters, _) in usual.items()})
    present = sum(group.session_count(key) for group in expecting)
    total = sum(len(group.sessions) for group in expecting)
    undecided = _sorted(name for _, names in usual.values() for name in names)
    note = f"in {present} of {counted(total, 'session')}"
    return ExpectedSeries(
        name=_name(key, groups),
        kinds=key.kinds,
        count=count,
        parameters=common,
        scanners=tuple(group.scanner for group in expecting) if len(expecting) < len(groups) else (),
        by_scanner=specific,
        note=f"{note}; no majority for {', '.join(undecided)}" if undecided else note,
    )


def _name(key: SeriesKey, groups: Sequence[ScannerGroup]) -> str:
    """Return the name as it is spelled most often. If the key has wildcards in place of digits, the name has them, too."""
    name = literal_glob(spelling(series for group in groups for series in group.series_of(key)))
    return name if name.casefold() == key.name else re.sub(r"\d+", "[0-9]*", name)


def _split_common(by_scanner: Mapping[str, SeriesParameters]) -> tuple[SeriesParameters, dict[str, SeriesParameters]]:
    """Return the values that all scanners have in common, and the other values by scanner."""
    parameters = list(by_scanner.values())
    shared_values = {}
    for name in parameters[0].values if parameters else ():
        value = _shared_value([each.values.get(name) for each in parameters])
        if value is not None:
            shared_values[name] = value
    volumes = (
        parameters[0].volumes
        if parameters and all(each.volumes == parameters[0].volumes for each in parameters)
        else None
    )
    specific = {}
    for scanner, each in by_scanner.items():
        values = {name: value for name, value in each.values.items() if name not in shared_values}
        if values or (each.volumes and not volumes):
            specific[scanner] = SeriesParameters(values, None if volumes else each.volumes)
    return SeriesParameters(shared_values, volumes), specific


def _shared_value(values: Sequence[Expectation | None]) -> Expectation | None:
    """Return the common value, None if there is none; equal numbers get the largest of their tolerances."""
    first = values[0]
    if all(value == first for value in values):
        return first
    if not isinstance(first, ExpectedNumbers):
        return None
    numbers = [value for value in values if isinstance(value, ExpectedNumbers) and value.values == first.values]
    if len(numbers) < len(values):
        return None
    tolerances = (max(column) for column in zip(*(value.tolerances for value in numbers), strict=True))
    return ExpectedNumbers(first.values, tuple(tolerances))


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names), key=lambda name: (name.casefold(), name)))
