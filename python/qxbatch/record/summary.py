"""The summary of an imported session (docs/summary.md)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from qxbatch.convert.header_values import value
from qxbatch.model import Conversion, HeaderLike, Image, Packet, Series, SessionId, Value
from qxbatch.problems import Problem, grouped
from qxbatch.record.images import SessionImages
from qxbatch.session.summary import Summary
from qxbatch.session.summary_parts import (
    ImageStatistics,
    ImageSummary,
    LedgerCounts,
    PacketSummary,
    SeriesSummary,
    SessionIdentity,
    SizeAndHash,
    Split,
)

_HEADER_FIELDS = (
    "SeriesNumber",
    "SeriesDescription",
    "ProtocolName",
    "SequenceName",
    "ImageType",
    "Modality",
    "SOPClassUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "StudyDate",
    "SeriesDate",
    "SeriesTime",
    "AcquisitionDate",
    "AcquisitionTime",
    "RepetitionTime",
    "EchoTime",
    "FlipAngle",
    "SliceThickness",
    "MagneticFieldStrength",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "NumberOfTemporalPositions",
    "Manufacturer",
    "ManufacturerModelName",
    "StationName",
    "InstitutionName",
    "SoftwareVersions",
    "TransferSyntaxUID",
)
"""Header fields in the summary; none of them names the patient. One with free text must also be in FREE_TEXT_FIELDS of
deidentify.py, otherwise names of patients in its text are not redacted."""


class PacketInfo(NamedTuple):
    """A packet in the summary."""

    packet: Packet
    name: str
    """Its name in the summary: without the patient's id or name if the session id replaces them."""
    sha256: str = ""
    """Of the packet's file; empty if it is not known, and for a folder."""


def summarize(
    session: SessionId,
    packets: Sequence[PacketInfo],
    conversions: Iterable[Conversion],
    session_images: SessionImages,
    *,
    version: str,
    converters: Mapping[str, str],
    fates: Mapping[str, int],
    left_out_counts: Mapping[str, int] | None = None,
    sums: Mapping[str, SizeAndHash] | None = None,
    statistics: Mapping[int, ImageStatistics] | None = None,
    problems: Sequence[Problem] = (),
    patient: str = "",
    deidentified: bool = False,
    split: Split | None = None,
    previous_packets: Sequence[PacketSummary] = (),
    times: Mapping[str, float] | None = None,
    host: Mapping[str, str] | None = None,
    command: str = "",
) -> Summary:
    """Return the summary.

    Each field of the summary that can differ between two imports of the same packets must be in `_FORMS` of
    session/comparable_summary.py.

    `sums` maps image files, relative to the session folder, to size and SHA-256. `statistics` maps the numbers of images that
    are time series to their statistics. `converters` maps names to versions. `patient` is the patient's id, or empty if it is
    not known or the session id replaces it (`deidentified`). `fates` has the number of ledger rows by fate, `left_out_counts`
    the number of members left out by cause. `previous_packets` are the packets recorded for the session that is imported
    again; those that are not in `packets` come first.
    The field `numbers` of the summary has the additional n of series with more than nine images (docs/numbers.md).
    """
    ordered = sorted(conversions, key=lambda conversion: conversion.series.n)
    new_packets = tuple(map(_packet, packets))
    series_problems = (problem for conversion in ordered for problem in conversion.problems)
    return Summary(
        qxbatch=version,
        converters=dict(converters),
        session=SessionIdentity(session.id, session.subject, session.session, patient, deidentified),
        packets=(*(packet for packet in previous_packets if not any(map(packet.is_same, new_packets))), *new_packets),
        series=tuple(_series(conversion, session_images) for conversion in ordered),
        images=tuple(
            _image(image, sums or {}, (statistics or {}).get(image.number)) for image in session_images.images
        ),
        numbers=dict(sorted(session_images.n_by_extra_n.items())),
        ledger=LedgerCounts(sum(fates.values()), dict(fates), dict(left_out_counts or {})),
        problems=grouped([*problems, *session_images.problems, *series_problems]),
        split=split,
        times=dict(times or {}),
        host=dict(host or {}),
        command=command,
    )


def recorded_fields(header: HeaderLike) -> dict[str, Value]:
    """Return the header fields for a summary; none of them names the patient."""
    return {field: content for field in _HEADER_FIELDS if (content := value(header, field)) is not None}


def _packet(info: PacketInfo) -> PacketSummary:
    fingerprint = info.packet.fingerprint
    name = info.name.encode("utf-8", "backslashreplace").decode()
    return PacketSummary(name, fingerprint.files, fingerprint.size, info.sha256)


def _series(conversion: Conversion, session_images: SessionImages) -> SeriesSummary:
    series = conversion.series
    series_uids, study_uids = _uids(series)
    return SeriesSummary(
        n=series.n,
        kind=series.kind,
        files=series.files,
        size=series.size,
        header=recorded_fields(series.header),
        state=conversion.state,
        tool=conversion.tool,
        images=tuple(image.number for image in session_images.images if image.n == series.n),
        problems=conversion.problems,
        series_uids=series_uids,
        study_uids=study_uids,
        verdict=conversion.verdict,
        acquisition=conversion.acquisition,
    )


def _uids(series: Series) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the series and study UIDs of the parts of a joined series; both are empty for a series that was not joined.

    The study UIDs are also empty if all parts are of one study: the header has its UID.
    """
    studies = tuple(dict.fromkeys(part.study_uid for part in series.parts))
    return tuple(dict.fromkeys(part.series_uid for part in series.parts)), studies if len(studies) > 1 else ()


def _image(image: Image, sums: Mapping[str, SizeAndHash], statistics: ImageStatistics | None) -> ImageSummary:
    """Return the summary of an image: number `k` of the `of` images of the series with the number `n`."""
    return ImageSummary(
        number=image.number,
        series=image.n,
        k=image.k,
        of=image.of,
        name=image.name,
        info=dict(image.info),
        shape=image.shape,
        files=image.files,
        sums={file: sums[file] for file in image.files if file in sums},
        statistics=statistics,
    )
