"""Compare a session with a protocol."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from qxbatch.acquisition import Acquisition, SeriesVerdict
from qxbatch.counted import counted
from qxbatch.protocol.difference import Difference, DifferenceKind
from qxbatch.protocol.model import ExpectedSeries, Protocol, matches_scanner
from qxbatch.protocol.scanned import ScannedSeries, ScannedSession
from qxbatch.protocol.series_differences import parameter_differences, volume_difference


class EntryCheck(NamedTuple):
    """An entry of the protocol compared with a session: the series that belong to it, which can be none, and the differences."""

    entry: ExpectedSeries
    selected_series: tuple[ScannedSeries, ...]
    """The best series, at most as many as the entry expects."""
    surplus_series: tuple[ScannedSeries, ...]
    """The other series of the entry."""
    differences: tuple[Difference, ...]


class SessionCheck(NamedTuple):
    """The differences between a session and a protocol."""

    session: ScannedSession
    entry_checks: tuple[EntryCheck, ...]
    """The entries for the first scanner of the session, and those for its other scanners that have a series, in the order of the
    protocol."""
    extra_series: tuple[ScannedSeries, ...]
    """Series without an entry, except those whose volumes cannot be judged, such as localizers (`ScannedSeries.is_evaluable`)."""
    scanner_differences: tuple[Difference, ...] = ()
    """Differences of the scanners, which concern all series."""

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Return the differences of the scanners, of the entries and of the extra series, in this order."""
        series_differences = (difference for check in self.entry_checks for difference in check.differences)
        return (*self.scanner_differences, *series_differences, *map(_extra_difference, self.extra_series))

    @property
    def repeated_n(self) -> frozenset[int]:
        """Return the numbers n (in the session folder) of the surplus series that are complete."""
        surplus = (series for check in self.entry_checks for series in check.surplus_series)
        return frozenset(series.n for series in surplus if series.verdict is SeriesVerdict.COMPLETE)


def check_session(protocol: Protocol, session: ScannedSession) -> SessionCheck:
    """Return the differences between a session with facts (`ScannedSession.has_facts`) and a protocol.

    Each series is compared with the parameters that are expected on its own scanner.
    """
    entries = [entry for entry in protocol.series if any(map(entry.is_expected_on, session.compared_scanners))]
    assigned, extra = _assign(entries, session)
    entry_checks = tuple(
        _check_entry(entry, series, session)
        for entry, series in zip(entries, assigned, strict=True)
        if series or entry.is_expected_on(session.scanner)
    )
    return SessionCheck(session, entry_checks, tuple(extra), tuple(_scanner_differences(protocol, session)))


def _assign(
    entries: Sequence[ExpectedSeries], session: ScannedSession
) -> tuple[list[list[ScannedSeries]], list[ScannedSeries]]:
    """Return the series of each entry, and the evaluable series without an entry. Localizers, for example, are not evaluable.

    An evaluable series belongs to the first matching entry in the order of `_ranked`. Then each of the other series, evaluable or
    not, is assigned to the first entry that still lacks a series and for which `_may_be` is true, if there is one.
    """
    ranked = {scanner: _ranked(entries, scanner, session.scanner) for scanner in session.compared_scanners}
    assigned: list[list[ScannedSeries]] = [[] for _ in entries]
    remaining: list[ScannedSeries] = []
    for scan in session.series:
        candidates = ranked[session.scanner_of(scan)] if scan.is_evaluable else ()
        index = next((k for k in candidates if entries[k].matches(scan)), None)
        (remaining if index is None else assigned[index]).append(scan)
    extra: list[ScannedSeries] = []
    for scan in remaining:
        candidates = ranked[session.scanner_of(scan)]
        unfilled_entries = (k for k in candidates if len(assigned[k]) < entries[k].count.least)
        index = next((k for k in unfilled_entries if _may_be(entries[k], scan)), None)
        if index is not None:
            assigned[index].append(scan)
        elif scan.is_evaluable:
            extra.append(scan)
    return assigned, extra


def _ranked(entries: Sequence[ExpectedSeries], scanner: str, first_scanner: str) -> Sequence[int]:
    """Return the indexes of the entries to which a series on a scanner can belong, the best one first.

    These are the entries for its scanner by `ExpectedSeries.rank`, then the other ones for the first scanner of the session.
    """
    possible = [k for k, entry in enumerate(entries) if any(map(entry.is_expected_on, (scanner, first_scanner)))]
    return sorted(possible, key=lambda k: (not entries[k].is_expected_on(scanner), *entries[k].rank, k))


def _may_be(entry: ExpectedSeries, series: ScannedSeries) -> bool:
    """Return whether a series may fill an entry that lacks one: if it is evaluable, by its name; otherwise by name and kinds."""
    return entry.matches_name(series.name) if series.is_evaluable else entry.matches(series)


def _check_entry(entry: ExpectedSeries, series: Sequence[ScannedSeries], session: ScannedSession) -> EntryCheck:
    """Return an entry compared with its series. Complete series are selected first, and then those with few differences."""
    expected = {scan.n: entry.parameters_on(session.scanner_of(scan)) for scan in series}
    differences_by_n = {scan.n: parameter_differences(entry, expected[scan.n], scan) for scan in series}
    ordered = _in_order(series)
    best_first = sorted(ordered, key=lambda scan: (scan.is_incomplete, len(differences_by_n[scan.n])))
    selected_n = {scan.n for scan in best_first[: entry.count.most]}
    selected = [scan for scan in ordered if scan.n in selected_n]
    surplus = [scan for scan in ordered if scan.n not in selected_n]
    differences: list[Difference] = []
    if len(series) < entry.count.least:
        differences.append(
            Difference(
                DifferenceKind.MISSING, entry.name, field="count", expected=entry.count.text, actual=str(len(series))
            )
        )
    for scan in selected:
        differences += differences_by_n[scan.n]
        differences += volume_difference(expected[scan.n], scan)
    differences += [_repeated_difference(entry, scan, differences_by_n[scan.n], len(series)) for scan in surplus]
    return EntryCheck(entry, tuple(selected), tuple(surplus), tuple(differences))


def _in_order(series: Sequence[ScannedSeries]) -> list[ScannedSeries]:
    """Return series in order of their start if all have a date and time, else in order of their n."""
    times = {scan.n: (scan.acquisition or Acquisition()).started or "" for scan in series}
    all_timed = all("T" in time for time in times.values())
    return sorted(series, key=lambda scan: (times[scan.n] if all_timed else "", scan.n))


def _repeated_difference(
    entry: ExpectedSeries, series: ScannedSeries, differing_parameters: Sequence[Difference], actual_count: int
) -> Difference:
    """Return the difference of a surplus series. `actual_count` is the number of all series of the entry.

    `differing_parameters` become only a note, because the series is not needed.
    """
    notes = [f"{difference.field} {difference.actual or 'not known'}" for difference in differing_parameters]
    if series.is_incomplete:
        notes.insert(0, _incomplete_text(series))
    return Difference(
        DifferenceKind.REPEATED,
        series.name,
        series.series_number,
        series.n,
        "count",
        entry.count.text,
        str(actual_count),
        ", ".join(notes) or str(series.verdict or ""),
    )


def _incomplete_text(series: ScannedSeries) -> str:
    facts = series.acquisition or Acquisition()
    complete = facts.complete_volumes or 0
    if facts.planned_volumes:
        return f"incomplete, {complete} of {counted(facts.planned_volumes, 'volume')}"
    return f"incomplete, {counted(complete, 'volume')}"


def _extra_difference(series: ScannedSeries) -> Difference:
    note = _incomplete_text(series) if series.is_incomplete else ""
    return Difference(DifferenceKind.EXTRA, series.name, series.series_number, series.n, "count", "0", "1", note)


def _scanner_differences(protocol: Protocol, session: ScannedSession) -> Iterable[Difference]:
    """Yield a difference for each scanner or its software version that the protocol does not list."""
    for scanner in session.compared_scanners if protocol.scanners else ():
        software = session.software_of(scanner)
        versions = next((found for name, found in protocol.scanners.items() if matches_scanner(name, scanner)), None)
        if versions is None:
            expected = " or ".join(protocol.scanners)
            yield Difference(DifferenceKind.PARAMETER, field="scanner", expected=expected, actual=scanner)
        elif versions and software and software not in versions:
            expected = " or ".join(versions)
            yield Difference(DifferenceKind.PARAMETER, field="software", expected=expected, actual=software)
