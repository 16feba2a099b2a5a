"""The DICOM series of one session. Each consists of groups of the core: files of one patient with equal UIDs and number."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from qxbatch.core import Group, Header
from qxbatch.ingest.instance_facts import instance_of, may_be_numbered_in_thousands
from qxbatch.ingest.join import scans_to_join
from qxbatch.ingest.numbers import NumberRequest
from qxbatch.ingest.scan_part import Instance, ScanPart
from qxbatch.model import SeriesPart


class Headers(Protocol):
    """Headers of files in groups: of a reading, or of scanned files."""

    def group_rows(self, group: int, /) -> Sequence[int]:
        """Return the indexes of a group's files."""

    def header(self, row: int, /) -> Header | None:
        """Return the header of a file; None if the file has no header."""


class DicomSeries(NamedTuple):
    """Groups that form one series: they share study, SeriesInstanceUID and number, or are parts of one scan."""

    group_indexes: tuple[int, ...]
    groups: tuple[Group, ...]
    number_request: NumberRequest
    parts: tuple[SeriesPart, ...] = ()
    """The parts of a joined series, the first part first."""


_GENERATED = "2.25."
"""The start of SeriesInstanceUIDs that the core generates, and of those that other programs derive from a UUID (PS3.5 B.2)."""


def dicom_series(headers: Headers, groups: Sequence[Group], group_indexes: Sequence[int]) -> list[DicomSeries]:
    """Return the series of the groups with these indexes.

    Groups of several patients with the same UIDs and number form one series.
    """
    indexes_by_key: dict[tuple[str, str, int | None], list[int]] = {}
    for i in group_indexes:
        indexes_by_key.setdefault((groups[i].study_uid, groups[i].series_uid, groups[i].number), []).append(i)
    series = []
    # sorted by the text of the key: a number can be None, which cannot be compared
    for (study, uid, number), indexes in sorted(indexes_by_key.items(), key=lambda item: str(item[0])):
        groups_of_key = tuple(groups[i] for i in indexes)
        started = min((group.start_time for group in groups_of_key if group.start_time), default="")
        order = _lowest_sop_uid(headers, indexes) if uid.startswith(_GENERATED) else uid
        series.append(DicomSeries(tuple(indexes), groups_of_key, NumberRequest(number, (started, order, study))))
    return series


def _lowest_sop_uid(headers: Headers, group_indexes: Sequence[int]) -> str:
    """Return the lowest SOPInstanceUID of some groups.

    Series with a generated SeriesInstanceUID are ordered by it. The core generates that UID from the folder of the files, which
    is another one when a session is rebuilt from its sorted files.
    """
    file_headers = (headers.header(row) for group in group_indexes for row in headers.group_rows(group))
    return min((str(header.get("SOPInstanceUID") or "") for header in file_headers if header is not None), default="")


def join_scans(headers: Headers, series: Sequence[DicomSeries]) -> list[DicomSeries]:
    """Return the series, with the parts of each scan joined.

    Of a series whose first header agrees with that of no other series, only this header is read.
    """
    scans = scans_to_join([_part(headers, item) for item in series])
    joined_indices = {index for scan in scans for index in scan}
    separate = [item for index, item in enumerate(series) if index not in joined_indices]
    return separate + [_join([series[index] for index in scan]) for scan in scans]


def _join(parts: Sequence[DicomSeries]) -> DicomSeries:
    """Return the parts as one series, which requests the number of the first part."""
    ordered = sorted(parts, key=_rank)
    return DicomSeries(
        tuple(index for part in ordered for index in part.group_indexes),
        tuple(group for part in ordered for group in part.groups),
        ordered[0].number_request,
        tuple(
            SeriesPart(part.groups[0].study_uid, part.groups[0].series_uid, part.groups[0].number, part.group_indexes)
            for part in ordered
        ),
    )


def _rank(part: DicomSeries) -> tuple[bool, str, int, tuple[str, ...]]:
    """Return the sort key of a part: start (unknown last), SeriesNumber, UIDs."""
    start, *uids = part.number_request.order
    return (start == "", start, part.number_request.number or 0, tuple(uids))


def _part(headers: Headers, series: DicomSeries) -> ScanPart | None:
    """Return the facts that decide about joining a series; None if it cannot be joined."""
    group, number = series.groups[0], series.number_request.number
    if len(series.group_indexes) > 1 or number is None:
        return None
    first = instance_of(group.header)
    if first is None:
        return None

    def instances() -> Iterator[Instance | None]:
        for row in headers.group_rows(series.group_indexes[0]):
            header = headers.header(row)
            yield None if header is None else instance_of(header)

    return ScanPart(
        group.folded_patient_id, number, group.study_uid, first, instances, may_be_numbered_in_thousands(group.header)
    )
