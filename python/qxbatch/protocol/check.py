"""A session compared with a protocol."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from qxbatch.acquisition import Acquisition, SeriesVerdict
from qxbatch.protocol.compared import parameter_differences, volume_difference
from qxbatch.protocol.difference import Difference, DifferenceKind
from qxbatch.protocol.rules import Expected, Protocol, is_scanner
from qxbatch.protocol.scanned import ScannedSeries, ScannedSession


class Match(NamedTuple):
    """An entry of the protocol, and what a session has of it."""

    entry: Expected
    kept: tuple[ScannedSeries, ...]
    """As many as are expected: the best ones."""
    surplus: tuple[ScannedSeries, ...]
    """The further ones."""
    differences: tuple[Difference, ...]


class SessionCheck(NamedTuple):
    """What differs between a session and a protocol."""

    session: ScannedSession
    matches: tuple[Match, ...]
    """In the order of the protocol: its entries for the scanner of the session."""
    extra: tuple[ScannedSeries, ...]
    of_session: tuple[Difference, ...] = ()
    """Of the scanner, which concern all series."""

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Return all differences."""
        of_series = (difference for match in self.matches for difference in match.differences)
        return (*self.of_session, *of_series, *map(_extra, self.extra))

    @property
    def repeated(self) -> frozenset[int]:
        """Return the n of complete series that exist more often than expected."""
        surplus = (series for match in self.matches for series in match.surplus)
        return frozenset(series.n for series in surplus if series.verdict is SeriesVerdict.COMPLETE)


def check_session(protocol: Protocol, session: ScannedSession) -> SessionCheck:
    """Compare a session that has facts with a protocol."""
    scanner = session.scanner
    entries = [entry for entry in protocol.series if entry.is_on(scanner)]
    found, extra = _assigned(entries, session.series)
    matches = tuple(_match(entry, series, scanner) for entry, series in zip(entries, found, strict=True))
    return SessionCheck(session, matches, tuple(extra), tuple(_of_scanner(protocol, session)))


def _assigned(
    entries: Sequence[Expected], series: Iterable[ScannedSeries]
) -> tuple[list[list[ScannedSeries]], list[ScannedSeries]]:
    """Return the series of each entry, and the evaluable ones of none.

    A scan belongs to the first entry that fits. A scan that fits by its name alone, and what is no scan, belongs to an entry
    that lacks a series.
    """
    ranked = sorted(range(len(entries)), key=lambda k: (*entries[k].rank, k))
    found: list[list[ScannedSeries]] = [[] for _ in entries]
    remaining: list[ScannedSeries] = []
    for each in series:
        index = next((k for k in ranked if each.evaluable and entries[k].fits(each)), None)
        (remaining if index is None else found[index]).append(each)
    extra: list[ScannedSeries] = []
    for each in remaining:
        lacking = (k for k in ranked if len(found[k]) < entries[k].count.least)
        index = next((k for k in lacking if _may_be(entries[k], each)), None)
        if index is not None:
            found[index].append(each)
        elif each.evaluable:
            extra.append(each)
    return found, extra


def _may_be(entry: Expected, series: ScannedSeries) -> bool:
    return entry.has_name(series.name) if series.evaluable else entry.fits(series)


def _match(entry: Expected, series: Sequence[ScannedSeries], scanner: str) -> Match:
    expected = entry.on(scanner)
    differing = {each.n: parameter_differences(entry, expected, each) for each in series}
    ordered = _in_order(series)
    best = sorted(ordered, key=lambda each: (each.lacking, len(differing[each.n])))
    wanted = {each.n for each in best[: entry.count.most]}
    kept = [each for each in ordered if each.n in wanted]
    surplus = [each for each in ordered if each.n not in wanted]
    found: list[Difference] = []
    if len(series) < entry.count.least:
        found.append(
            Difference(
                DifferenceKind.MISSING, entry.name, field="count", expected=entry.count.text, found=str(len(series))
            )
        )
    for each in kept:
        found += differing[each.n]
        found += volume_difference(expected, each)
    found += [_repeated(entry, each, differing[each.n], len(series)) for each in surplus]
    return Match(entry, tuple(kept), tuple(surplus), tuple(found))


def _in_order(series: Sequence[ScannedSeries]) -> list[ScannedSeries]:
    """Return series by the time at which they began, where all have one; else by their numbers."""
    times = {each.n: (each.acquisition or Acquisition()).started or "" for each in series}
    timed = all("T" in time for time in times.values())
    return sorted(series, key=lambda each: (times[each.n] if timed else "", each.n))


def _repeated(entry: Expected, series: ScannedSeries, differing: Sequence[Difference], found: int) -> Difference:
    """Return the difference of a series that exists too often; what is wrong with it is a note, as it is not needed."""
    notes = [f"{difference.field} {difference.found or 'not known'}" for difference in differing]
    if series.lacking:
        notes.insert(0, _incomplete(series))
    return Difference(
        DifferenceKind.REPEATED,
        series.name,
        series.number,
        series.n,
        "count",
        entry.count.text,
        str(found),
        ", ".join(notes) or str(series.verdict or ""),
    )


def _incomplete(series: ScannedSeries) -> str:
    known = series.acquisition or Acquisition()
    of = f" of {known.planned_volumes}" if known.planned_volumes else ""
    return f"incomplete, {known.complete_volumes or 0}{of} volume{'s' * ((known.planned_volumes or known.complete_volumes) != 1)}"


def _extra(series: ScannedSeries) -> Difference:
    note = _incomplete(series) if series.lacking else ""
    return Difference(DifferenceKind.EXTRA, series.name, series.number, series.n, "count", "0", "1", note)


def _of_scanner(protocol: Protocol, session: ScannedSession) -> Iterable[Difference]:
    """Yield the difference of a scanner or software version that the protocol does not list."""
    scanner, software = session.scanner, session.software
    if not protocol.scanners:
        return
    versions = next((versions for name, versions in protocol.scanners.items() if is_scanner(name, scanner)), None)
    if versions is None:
        expected = " or ".join(protocol.scanners)
        yield Difference(DifferenceKind.PARAMETER, field="scanner", expected=expected, found=scanner)
    elif versions and software and software not in versions:
        expected = " or ".join(versions)
        yield Difference(DifferenceKind.PARAMETER, field="software", expected=expected, found=software)
