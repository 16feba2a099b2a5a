"""A protocol proposed from what the majority of sessions has (docs/protocol.md)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from qxbatch.protocol.rules import Expected, Parameters, Protocol, literal
from qxbatch.protocol.scanned import ScannedSession
from qxbatch.protocol.values import Count, Expectation, Numbers
from qxbatch.study.groups import Group, Key, by_scanner, spelling
from qxbatch.study.majority import usual_parameters


class Learned(NamedTuple):
    """A proposed protocol, and what it is made of."""

    protocol: Protocol
    sessions: Mapping[str, int]
    """Scanner to the number of its sessions."""
    rare: tuple[str, ...] = ()
    """Names of series that too few sessions have."""
    not_evaluable: tuple[str, ...] = ()
    """Names of localizers, reports and saved screens."""


def learn(sessions: Iterable[ScannedSession], least: int = 1) -> Learned:
    """Return what the majority of sessions has; scanners with fewer than `least` sessions are left out.

    The order of the sessions does not matter.
    """
    groups = [group for group in by_scanner(sessions) if len(group.sessions) >= least]
    specs: dict[Key, dict[Count, list[Group]]] = {}
    for group in groups:
        for key, count in _usual(group, groups).items():
            specs.setdefault(key, {}).setdefault(count, []).append(group)
    ordered = sorted(specs, key=lambda key: (_place(key, groups), key.order))
    entries = [_entry(key, count, chosen, groups) for key in ordered for count, chosen in specs[key].items()]
    software = {group.scanner: tuple(sorted({each.software for each in group.sessions} - {""})) for group in groups}
    every = [series for group in groups for session in group.sessions for series in session.series]
    return Learned(
        Protocol(tuple(entries), software),
        {group.scanner: len(group.sessions) for group in groups},
        _sorted(each for group in groups for each in group.remaining if not any(e.has_name(each) for e in entries)),
        _sorted(series.name for series in every if not series.evaluable),
    )


def _usual(group: Group, groups: Sequence[Group]) -> Mapping[Key, Count]:
    """Return how often each series is expected on a scanner.

    A scanner with few sessions follows the one with which it has more than half of the series in common.
    """
    large = [each for each in groups if not each.is_small]
    if group.is_small and large:
        nearest = max(large, key=lambda each: _shared(each, group))
        if 2 * _shared(nearest, group) > len(nearest.usual):
            return nearest.usual
    return group.usual


def _shared(large: Group, small: Group) -> int:
    return sum(small.present(key) > 0 for key in large.usual)


def _place(key: Key, groups: Sequence[Group]) -> tuple[int, float]:
    """Return the first scanner that has a series, and where the series usually is in its sessions."""
    return next((k, group.place(key)) for k, group in enumerate(groups) if group.present(key))


def _entry(key: Key, count: Count, chosen: Sequence[Group], groups: Sequence[Group]) -> Expected:
    """Return the entry of a series that these groups have equally often."""
    usual = {group.scanner: usual_parameters(group.of(key)) for group in chosen if group.present(key)}
    common, own = _apart({scanner: parameters for scanner, (parameters, _) in usual.items()})
    present, total = sum(group.present(key) for group in chosen), sum(len(group.sessions) for group in chosen)
    undecided = _sorted(name for _, names in usual.values() for name in names)
    note = f"in {present} of {total} session{'s' * (total != 1)}"
    return Expected(
        name=_name(key, groups),
        kinds=key.kinds,
        count=count,
        parameters=common,
        scanners=tuple(group.scanner for group in chosen) if len(chosen) < len(groups) else (),
        by_scanner=own,
        note=f"{note}; no majority for {', '.join(undecided)}" if undecided else note,
    )


def _name(key: Key, groups: Sequence[Group]) -> str:
    """Return the name as it is spelled most often, with the wildcards of the key."""
    name = literal(spelling(series for group in groups for series in group.of(key)))
    return name if name.casefold() == key.name else re.sub(r"\d+", "[0-9]*", name)


def _apart(parts: Mapping[str, Parameters]) -> tuple[Parameters, dict[str, Parameters]]:
    """Return the values that all scanners have in common, and those of each scanner besides."""
    every = list(parts.values())
    shared = {}
    for name in every[0].values if every else ():
        value = _shared_value([each.values.get(name) for each in every])
        if value is not None:
            shared[name] = value
    volumes = every[0].volumes if every and all(each.volumes == every[0].volumes for each in every) else None
    own = {}
    for scanner, each in parts.items():
        values = {name: value for name, value in each.values.items() if name not in shared}
        if values or (each.volumes and not volumes):
            own[scanner] = Parameters(values, None if volumes else each.volumes)
    return Parameters(shared, volumes), own


def _shared_value(values: Sequence[Expectation | None]) -> Expectation | None:
    """Return the value that all have; numbers with the largest of their tolerances."""
    first = values[0]
    if all(value == first for value in values):
        return first
    if not isinstance(first, Numbers):
        return None
    numbers = [value for value in values if isinstance(value, Numbers) and value.values == first.values]
    if len(numbers) < len(values):
        return None
    tolerances = (max(each) for each in zip(*(value.tolerances for value in numbers), strict=True))
    return Numbers(first.values, tuple(tolerances))


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names), key=lambda name: (name.casefold(), name)))
