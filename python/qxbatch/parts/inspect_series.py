"""The series of a folder or an archive with their facts and verdicts, numbered as an import numbers them."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from qxbatch.acquisition import Acquisition, SeriesVerdict
from qxbatch.convert.measured import Measured, measured, measured_par
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


def inspected(source: str, headers: FoundHeaders, threads: int, monitor: Monitor, *, join: bool = True) -> Inspected:
    """Return the series of a packet. Raises CancelledError when the monitor is cancelled."""
    groups, pars = headers.groups(), headers.pars()
    series = series_of(groups, range(len(groups)))
    series = joined(headers, series) if join else series
    numbers, par_numbers = give_numbers(
        [each.claim for each in series], [Claim(_positive(par.number), (par.order,)) for par in pars]
    )
    problems = list(headers.problems)

    def of_series(pair: tuple[int, DicomSeries]) -> InspectedSeries:
        n, each = pair
        found = _measured(lambda: _frames(headers, each, monitor), each.members[0].header, (), problems)
        return _of_dicom(n, each, found)

    with ThreadPoolExecutor(threads) as pool:
        found = [*pool.map(of_series, zip(numbers, series, strict=True))]
    found += [of_par(n, par) for n, par in zip(par_numbers, pars, strict=True)]
    return Inspected(source, tuple(sorted(found, key=lambda each: each.n)), tuple(problems))


def one_series(
    n: int, found: Sequence[FoundHeaders], outputs: Sequence[Output], monitor: Monitor
) -> tuple[InspectedSeries | None, list[str]]:
    """Return what is sorted under one number as one series, and what could not be read of it; None for nothing."""
    problems = [problem for headers in found for problem in headers.problems]
    members = [
        (headers, each) for headers in found for each in series_of(headers.groups(), range(len(headers.groups())))
    ]
    if not members:
        pars = [par for headers in found for par in headers.pars()]
        return (of_par(n, pars[0]) if pars else None), problems
    whole_series = DicomSeries((), tuple(group for _, each in members for group in each.members), members[0][1].claim)

    def frames() -> SeriesFrames:
        _stop(monitor)
        files = [file for headers, each in members for file in _files(headers, each)]
        return SeriesFrames([path for _, path in sorted(files)], pixels=False)

    result = _measured(frames, whole_series.members[0].header, outputs, problems)
    return _of_dicom(n, whole_series, result), problems


def of_par(n: int, par: FoundPar) -> InspectedSeries:
    """Return a PAR/REC; without facts where a half of it is missing or cannot be read."""
    found = None
    if par.files > 1:
        header = read_par(par.path)
        found = None if header.too_large else measured_par(header)
    facts, judged = found or (None, None)
    return InspectedSeries(n, _positive(par.number), par.header, "", "", par.files, par.size, judged, facts)


def _frames(headers: FoundHeaders, series: DicomSeries, monitor: Monitor) -> SeriesFrames:
    _stop(monitor)
    return SeriesFrames([path for _, path in sorted(_files(headers, series))], pixels=False)


def _files(headers: FoundHeaders, series: DicomSeries) -> Iterable[tuple[str, str]]:
    """Yield the files of a series with the names that an import gives them, whose order decides between equal ones."""
    for group in series.groups:
        for row in headers.group_rows(group):
            header = headers.header(row)
            yield f"{header.get('SOPInstanceUID') if header else ''}.dcm", headers.path(row)


def _stop(monitor: Monitor) -> None:
    if monitor.cancelled:
        raise CancelledError("stopped")


def _measured(
    frames: Callable[[], SeriesFrames], header: HeaderLike, outputs: Sequence[Output], problems: list[str]
) -> Measured | None:
    try:
        return measured(frames(), header, outputs)
    except OSError as error:
        problems.append(error_text(error))
        return None


def _of_dicom(n: int, series: DicomSeries, found: Measured | None) -> InspectedSeries:
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
