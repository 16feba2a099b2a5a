"""The series of a folder or an archive with their facts and verdicts, numbered as an import numbers them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from qxbatch.acquisition import Acquisition, SeriesVerdict
from qxbatch.commands.inspect_headers import PacketHeaders, ParFiles
from qxbatch.convert.header_values import text, whole_number
from qxbatch.convert.series_facts import SeriesFacts, dicom_facts, par_facts
from qxbatch.core import CancelledError, Monitor, SeriesFrames
from qxbatch.ingest.dicom_series import DicomSeries, dicom_series, join_scans
from qxbatch.ingest.numbers import NumberRequest, assign_numbers
from qxbatch.model import HeaderLike, Output
from qxbatch.os_error import error_text
from qxbatch.parrec.header import read_par


@dataclass(frozen=True)
class InspectedSeries:
    """A series, its facts and its verdict."""

    n: int
    """The number of its folder `dicom/<n>` after an import, usually 10 times the SeriesNumber."""
    series_number: int | None
    """SeriesNumber; None if it is missing or invalid, such as 0."""
    header: HeaderLike
    study_uid: str
    """Like `series_uid`, empty for a PAR."""
    series_uid: str
    files: int
    size: int
    """Bytes."""
    verdict: SeriesVerdict | None = None
    """None, like `acquisition`, if the facts are not known."""
    acquisition: Acquisition | None = None

    @property
    def description(self) -> str:
        """Return SeriesDescription, else ProtocolName."""
        return text(self.header, "SeriesDescription") or text(self.header, "ProtocolName")


@dataclass(frozen=True)
class InspectedSource:
    """The series of one source."""

    source: str
    """Its path."""
    series: tuple[InspectedSeries, ...] = ()
    """Sorted by n."""
    problems: tuple[str, ...] = ()
    """Each is a path and why it could not be read, or says what to do about those before it."""


@dataclass(frozen=True)
class SeriesHeaders:
    """A series, and the paths of its headers."""

    n: int
    series: DicomSeries
    paths: Sequence[str]


@dataclass(frozen=True)
class PacketSeries:
    """The series of a packet: the paths of their headers, but not the parsed headers, to save memory."""

    series: tuple[SeriesHeaders, ...]
    pars: tuple[tuple[int, ParFiles], ...]
    """PAR/REC series, each with the number n that an import gives it."""
    problems: tuple[str, ...]
    """As in InspectedSource."""


def packet_series(headers: PacketHeaders, *, join: bool = True) -> PacketSeries:
    """Return the series among these headers, numbered as an import numbers them. `join`: series of one scan become one."""
    groups, pars = headers.groups(), headers.pars()
    series = dicom_series(headers, groups, range(len(groups)))
    series = join_scans(headers, series) if join else series
    numbers, par_numbers = assign_numbers(
        [each.number_request for each in series],
        [NumberRequest(_positive_or_none(par.series_number), (par.path_sort_key,)) for par in pars],
    )
    return PacketSeries(
        tuple(SeriesHeaders(n, each, _paths([(headers, each)])) for n, each in zip(numbers, series, strict=True)),
        tuple(zip(par_numbers, pars, strict=True)),
        tuple(headers.problems),
    )


def series_of_number(n: int, sources: Sequence[PacketHeaders]) -> PacketSeries:
    """Return the series `dicom/<n>` of a session. Its files are one series, even if their UIDs differ.

    In that case, the import joined the series of one scan.
    """
    members = [
        (headers, each)
        for headers in sources
        for groups in [headers.groups()]
        for each in dicom_series(headers, groups, range(len(groups)))
    ]
    pars = [] if members else [par for headers in sources for par in headers.pars()]
    groups = tuple(group for _, each in members for group in each.groups)
    series = (
        [
            SeriesHeaders(
                n,
                # an index of a group would not say which of the sources has it
                DicomSeries(group_indexes=(), groups=groups, number_request=members[0][1].number_request),
                _paths(members),
            )
        ]
        if members
        else []
    )
    problems = tuple(problem for headers in sources for problem in headers.problems)
    return PacketSeries(tuple(series), tuple((n, par) for par in pars[:1]), problems)


def inspect_packet(
    source: str,
    packet: PacketSeries,
    threads: int,
    monitor: Monitor,
    outputs: Sequence[Output] = (),
) -> InspectedSource:
    """Return the series with their facts; `outputs` are the converted images, if the packet is one series of a session.

    Raises CancelledError when the monitor is cancelled, and OSError if a PAR cannot be read.
    """
    problems = list(packet.problems)

    def inspect_dicom(entry: SeriesHeaders) -> InspectedSeries:
        if monitor.cancelled:
            raise CancelledError("stopped")
        try:
            facts_and_verdict = dicom_facts(
                SeriesFrames(entry.paths, pixels=False), entry.series.groups[0].header, outputs
            )
        except OSError as error:
            problems.append(error_text(error))
            facts_and_verdict = None
        if facts_and_verdict and facts_and_verdict.reason:
            problems.append(f"series {entry.n}: {facts_and_verdict.reason}")
        return _inspected_dicom(entry.n, entry.series, facts_and_verdict)

    with ThreadPoolExecutor(threads) as pool:
        series = [*pool.map(inspect_dicom, packet.series)]
    series += [_inspect_par(n, par) for n, par in packet.pars]
    return InspectedSource(source, tuple(sorted(series, key=lambda each: each.n)), tuple(problems))


def _inspect_par(n: int, par: ParFiles) -> InspectedSeries:
    """Return a PAR/REC series; without facts if the REC is missing, or if they cannot be read from the PAR. Raises OSError."""
    facts_and_verdict = None
    if par.files > 1:
        header = read_par(par.path)
        facts_and_verdict = None if header.unread_reason else par_facts(header)
    facts, verdict, _ = facts_and_verdict or (None, None, "")
    return InspectedSeries(
        n, _positive_or_none(par.series_number), par.header, "", "", par.files, par.size, verdict, facts
    )


def _paths(members: Sequence[tuple[PacketHeaders, DicomSeries]]) -> list[str]:
    """Return the paths of the headers in the order in which an import sorts the files, by SOPInstanceUID.

    The order matters, because the first one of equal frames counts.
    """
    rows = [
        (headers, row)
        for headers, series in members
        for group_index in series.group_indexes
        for row in headers.group_rows(group_index)
    ]

    def name(index: int) -> str:
        headers, row = rows[index]
        header = headers.header(row)
        return f"{header.get('SOPInstanceUID') if header else ''}.dcm"

    return [headers.path(row) for headers, row in (rows[index] for index in sorted(range(len(rows)), key=name))]


def _inspected_dicom(n: int, series: DicomSeries, facts_and_verdict: SeriesFacts | None) -> InspectedSeries:
    first_group = series.groups[0]
    files, size = (sum(values) for values in zip(*((group.files, group.size) for group in series.groups), strict=True))
    facts, verdict, _ = facts_and_verdict or (None, None, "")
    return InspectedSeries(
        n,
        series.number_request.number,
        first_group.header,
        first_group.study_uid,
        first_group.series_uid,
        files,
        size,
        verdict,
        facts,
    )


def series_number(header: HeaderLike) -> int | None:
    """Return the SeriesNumber of a header; None where it is missing, zero or negative."""
    return _positive_or_none(whole_number(header, "SeriesNumber"))


def _positive_or_none(number: int | None) -> int | None:
    return number if number and number > 0 else None
