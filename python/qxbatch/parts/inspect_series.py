"""The series of a folder or an archive with their facts and verdicts, numbered as an import numbers them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from qxbatch.acquisition import Acquisition, SeriesVerdict
from qxbatch.convert.series_facts import SeriesFacts, dicom_facts, par_facts
from qxbatch.convert.values import HeaderLike, text, whole
from qxbatch.core import CancelledError, Monitor, SeriesFrames
from qxbatch.ingest.dicom_series import DicomSeries, joined, series_of
from qxbatch.ingest.numbers import Claim, give_numbers
from qxbatch.model import Output
from qxbatch.os_error import error_text
from qxbatch.parrec.header import read_par
from qxbatch.parts.inspect_headers import FoundHeaders, FoundPar


@dataclass(frozen=True)
class InspectedSeries:
    """A series, its facts and its verdict."""

    n: int
    """As an import numbers it: series are in this order."""
    number: int | None
    header: HeaderLike
    study_uid: str
    series_uid: str
    files: int
    size: int
    """Bytes."""
    verdict: SeriesVerdict | None = None
    acquisition: Acquisition | None = None

    @property
    def description(self) -> str:
        """Return SeriesDescription, else ProtocolName."""
        return text(self.header, "SeriesDescription") or text(self.header, "ProtocolName")


@dataclass(frozen=True)
class Inspected:
    """What is in one source."""

    source: str
    series: tuple[InspectedSeries, ...] = ()
    problems: tuple[str, ...] = ()
    """What could not be read: path and reason."""


@dataclass(frozen=True)
class FoundSeries:
    """A series that was found, and where its headers can be read."""

    n: int
    series: DicomSeries
    paths: Sequence[str]


@dataclass(frozen=True)
class FoundPacket:
    """What is in a packet. It outlives the headers of all its files, which need memory."""

    series: tuple[FoundSeries, ...]
    pars: tuple[tuple[int, FoundPar], ...]
    """With the n of each."""
    problems: tuple[str, ...]


def found_packet(headers: FoundHeaders, *, join: bool = True) -> FoundPacket:
    """Return the series among these headers, numbered as an import numbers them."""
    groups, pars = headers.groups(), headers.pars()
    series = series_of(groups, range(len(groups)))
    series = joined(headers, series) if join else series
    numbers, par_numbers = give_numbers(
        [each.claim for each in series], [Claim(_positive(par.number), (par.order,)) for par in pars]
    )
    return FoundPacket(
        tuple(FoundSeries(n, each, _paths([(headers, each)])) for n, each in zip(numbers, series, strict=True)),
        tuple(zip(par_numbers, pars, strict=True)),
        tuple(headers.problems),
    )


def found_number(n: int, found: Sequence[FoundHeaders]) -> FoundPacket:
    """Return what is sorted under one number as one series: several UIDs are of a scan that was joined."""
    members = [
        (headers, each) for headers in found for each in series_of(headers.groups(), range(len(headers.groups())))
    ]
    pars = [] if members else [par for headers in found for par in headers.pars()]
    groups = tuple(group for _, each in members for group in each.members)
    series = [FoundSeries(n, DicomSeries((), groups, members[0][1].claim), _paths(members))] if members else []
    problems = tuple(problem for headers in found for problem in headers.problems)
    return FoundPacket(tuple(series), tuple((n, par) for par in pars[:1]), problems)


def inspected(
    source: str,
    found: FoundPacket,
    threads: int,
    monitor: Monitor,
    outputs: Sequence[Output] = (),
) -> Inspected:
    """Return the series with their facts; `outputs` are images of the only one.

    Raises CancelledError when the monitor is cancelled.
    """
    problems = list(found.problems)

    def of_series(one: FoundSeries) -> InspectedSeries:
        if monitor.cancelled:
            raise CancelledError("stopped")
        try:
            facts = dicom_facts(SeriesFrames(one.paths, pixels=False), one.series.members[0].header, outputs)
        except OSError as error:
            problems.append(error_text(error))
            facts = None
        return _of_dicom(one.n, one.series, facts)

    with ThreadPoolExecutor(threads) as pool:
        series = [*pool.map(of_series, found.series)]
    series += [of_par(n, par) for n, par in found.pars]
    return Inspected(source, tuple(sorted(series, key=lambda each: each.n)), tuple(problems))


def of_par(n: int, par: FoundPar) -> InspectedSeries:
    """Return a PAR/REC; without facts where a half of it is missing or cannot be read."""
    found = None
    if par.files > 1:
        header = read_par(par.path)
        found = None if header.too_large else par_facts(header)
    facts, judged = found or (None, None)
    return InspectedSeries(n, _positive(par.number), par.header, "", "", par.files, par.size, judged, facts)


def _paths(members: Sequence[tuple[FoundHeaders, DicomSeries]]) -> list[str]:
    """Return where the headers are, by the names that an import gives the files: their order decides between equal ones."""

    rows = [
        (headers, row) for headers, series in members for group in series.groups for row in headers.group_rows(group)
    ]

    def name(index: int) -> str:
        headers, row = rows[index]
        header = headers.header(row)
        return f"{header.get('SOPInstanceUID') if header else ''}.dcm"

    return [headers.path(row) for headers, row in (rows[index] for index in sorted(range(len(rows)), key=name))]


def _of_dicom(n: int, series: DicomSeries, found: SeriesFacts | None) -> InspectedSeries:
    first = series.members[0]
    files, size = (sum(values) for values in zip(*((group.files, group.size) for group in series.members), strict=True))
    facts, judged = found or (None, None)
    return InspectedSeries(
        n, series.claim.number, first.header, first.study, first.series_uid, files, size, judged, facts
    )


def series_number(header: HeaderLike) -> int | None:
    """Return the SeriesNumber of a header; None where it is missing, zero or negative."""
    return _positive(whole(header, "SeriesNumber"))


def _positive(number: int | None) -> int | None:
    return number if number and number > 0 else None
