"""Sessions of one scanner model, and how often they have each series."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from qxbatch.acquisition import ImageKind
from qxbatch.protocol.model import literal_glob
from qxbatch.protocol.scanned import ScannedSeries, ScannedSession, scanner_key
from qxbatch.protocol.values import CountRange

FEWEST_SESSIONS = 3
"""Smallest number of sessions of a scanner that has a majority."""
_OPTIONAL = 1 / 3
"""A series in at least this fraction of the sessions, but in at most half of them, is optional.

If the scanner has FEWEST_SESSIONS sessions or more, at least two of them must have the series."""
_DIGITS = re.compile(r"\d+")


class SeriesKey(NamedTuple):
    """The common properties of series that are compared with each other: name and kinds of images."""

    name: str
    """A glob, in lower case."""
    kinds: frozenset[ImageKind] | None
    """None if they are not known."""

    @property
    def order(self) -> tuple[str, list[str]]:
        """Return the sort key."""
        return self.name, sorted(self.kinds or ())


class ScannerGroup:
    """The sessions of one scanner model."""

    def __init__(self, scanner: str, sessions: Sequence[ScannedSession]) -> None:
        self.scanner = scanner
        self.sessions = sorted(sessions, key=lambda session: session.id)
        self._series: dict[SeriesKey, dict[str, list[ScannedSeries]]] = {}
        self._positions: dict[SeriesKey, list[float]] = {}
        for session in self.sessions:
            for k, series in enumerate(session.series):
                if series.is_evaluable:  # a localizer, for example, is not
                    key = SeriesKey(literal_glob(series.name.casefold()), series.kinds)
                    self._series.setdefault(key, {}).setdefault(session.id, []).append(series)
                    self._positions.setdefault(key, []).append(k / len(session.series))

    @property
    def is_small(self) -> bool:
        """Return whether the sessions are too few for a majority."""
        return len(self.sessions) < FEWEST_SESSIONS

    @cached_property
    def usual_counts(self) -> Mapping[SeriesKey, CountRange]:
        """Return how often each series is expected; names that differ only in their digits can be one series."""
        counts = {key: count for key in self._series if (count := _usual_count(self._counts_of(key))) is not None}
        for family, members in self._families.items():
            rare = [key for key in members if key not in counts]
            if len(rare) > 1:
                # the family becomes one more series of the scanner, which the other methods then find
                self._series[family] = self._merged(rare)
                self._positions[family] = [position for key in rare for position in self._positions[key]]
                count = _usual_count(self._counts_of(family))
                if count is not None and count.least:  # a family that would be optional is left out
                    counts[family] = count
        return counts

    @cached_property
    def _families(self) -> Mapping[SeriesKey, Sequence[SeriesKey]]:
        """Return the names that differ only in their digits, by a glob that matches all of them."""
        families: dict[SeriesKey, list[SeriesKey]] = {}
        for key in self._series:
            if _DIGITS.search(key.name):
                families.setdefault(SeriesKey(_DIGITS.sub("[0-9]*", key.name), key.kinds), []).append(key)
        return families

    def series_of(self, key: SeriesKey) -> list[ScannedSeries]:
        """Return all series of a key."""
        return [series for session_series in self._merged(self._members(key)).values() for series in session_series]

    def session_count(self, key: SeriesKey) -> int:
        """Return how many sessions have a series of a key."""
        return len(self._merged(self._members(key)))

    def usual_position(self, key: SeriesKey) -> float:
        """Return where a series usually is in a session, from 0 (first) to 1; 1 if no session has it."""
        positions = sorted(position for member in self._members(key) for position in self._positions[member])
        return positions[len(positions) // 2] if positions else 1.0

    def _members(self, key: SeriesKey) -> Sequence[SeriesKey]:
        """Return the keys of this scanner that a key stands for.

        This is the key itself if the scanner has it. The key of another scanner can be a glob for names that differ in digits: it
        stands for the names that it matches.
        """
        return (key,) if key in self._series else self._families.get(key, ())

    def _counts_of(self, key: SeriesKey) -> list[int]:
        """Return how often each session has a series. Interrupted scans count only in a session without others, and only once."""
        by_session = self._series[key]
        complete_counts = {id_: sum(not scan.is_incomplete for scan in series) for id_, series in by_session.items()}
        return [
            max(1, complete_counts[session.id]) if session.id in complete_counts else 0 for session in self.sessions
        ]

    def _merged(self, keys: Iterable[SeriesKey]) -> dict[str, list[ScannedSeries]]:
        """Return the series of several keys by session id."""
        merged: dict[str, list[ScannedSeries]] = {}
        for key in keys:
            for id_, series in self._series[key].items():
                merged.setdefault(id_, []).extend(series)
        return merged


def groups_by_scanner(sessions: Iterable[ScannedSession]) -> list[ScannerGroup]:
    """Return the sessions by scanner model, the model with most sessions first."""
    by_key: dict[str, list[ScannedSession]] = {}
    for session in sessions:
        by_key.setdefault(scanner_key(session.scanner), []).append(session)
    groups = [ScannerGroup(_spelling(session.scanner for session in same), same) for same in by_key.values()]
    return sorted(groups, key=lambda group: (-len(group.sessions), group.scanner))


def spelling(series: Iterable[ScannedSeries]) -> str:
    """Return the most frequent spelling of the name of these series."""
    return _spelling(scan.name for scan in series)


def _spelling(names: Iterable[str]) -> str:
    counts = Counter(names)
    return min(counts, key=lambda name: (-counts[name], name))


def _usual_count(counts: Sequence[int]) -> CountRange | None:
    """Return how often a session usually has a series, at least and at most; None if too few sessions have it.

    `counts` says how often each session has it.
    """
    present = [count for count in counts if count]
    ratio = len(present) / len(counts)
    is_expected = ratio > 1 / 2
    is_optional = ratio >= _OPTIONAL and (len(present) > 1 or len(counts) < FEWEST_SESSIONS)
    if not is_expected and not is_optional:
        return None
    usual, frequency = min(Counter(present).items(), key=lambda item: (-item[1], item[0]))
    count = CountRange(usual, usual) if 2 * frequency > len(present) else CountRange(min(present), max(present))
    return count if is_expected else CountRange(0, count.most)
