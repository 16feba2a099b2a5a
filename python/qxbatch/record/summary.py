"""summary.json: all that a program wants to know about a session and how it was made (docs/summary.md)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qxbatch.convert.values import value
from qxbatch.model import Conversion, Image, Packet, Series, SessionId
from qxbatch.problems import Problem
from qxbatch.record.images import Placement
from qxbatch.record.sums import Sum

SCHEMA = 1
_HEADER = (
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
"""Header fields that are told; none of them names the patient."""


@dataclass(frozen=True)
class PacketInfo:
    """A packet as the summary tells it."""

    packet: Packet
    name: str
    """As it is told: without the patient's id or name where the session id stands in their place."""
    sha256: str = ""
    """Of an archive; empty for a folder or when it was not hashed."""


def summary(
    session: SessionId,
    packets: Sequence[PacketInfo],
    conversions: Iterable[Conversion],
    placement: Placement,
    *,
    version: str,
    converters: Mapping[str, str],
    fates: Mapping[str, int],
    sums: Mapping[str, Sum] | None = None,
    problems: Sequence[Problem] = (),
    patient: str = "",
    times: Mapping[str, float] | None = None,
    host: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the summary. Only `times` and `host` differ between two runs on the same packets.

    `sums` are those of the files of images, by path. `patient` is the patient's id, or empty where the session id stands
    in its place.
    """
    ordered = sorted(conversions, key=lambda conversion: conversion.series.n)
    said = [problem for conversion in ordered for problem in conversion.problems]
    return {
        "schema": SCHEMA,
        "qxbatch": version,
        "converters": dict(converters),
        "session": {"id": session.id, "subject": session.subject, "session": session.session, "patient": patient},
        "packets": [_packet(info) for info in packets],
        "series": [_series(conversion, placement) for conversion in ordered],
        "images": [_image(image, sums or {}) for image in placement.images],
        "numbers": {str(n): first for n, first in sorted(placement.further.items())},
        "ledger": {"rows": sum(fates.values()), "fates": dict(fates)},
        "problems": [_problem(problem) for problem in dict.fromkeys([*problems, *placement.problems, *said])],
        "times": dict(times or {}),
        "host": dict(host or {}),
    }


def summary_text(told: Mapping[str, Any]) -> str:
    """Return a summary as JSON, keys in a fixed order."""
    return json.dumps(told, indent=1, ensure_ascii=False, sort_keys=True, default=str) + "\n"


def _packet(info: PacketInfo) -> dict[str, Any]:
    fingerprint = info.packet.fingerprint
    return {
        "name": info.name.encode("utf-8", "backslashreplace").decode(),
        "files": fingerprint.files,
        "size": fingerprint.size,
        "sha256": info.sha256,
    }


def _series(conversion: Conversion, placement: Placement) -> dict[str, Any]:
    series = conversion.series
    header = {field: found for field in _HEADER if (found := value(series.header, field)) is not None}
    return {
        "n": series.n,
        **_uids(series),
        "kind": series.kind.value,
        "files": series.files,
        "size": series.size,
        "header": header,
        "state": conversion.state.value,
        "tool": conversion.tool,
        "images": [image.number for image in placement.images if image.n == series.n],
        "problems": [_problem(problem) for problem in conversion.problems],
    }


def _uids(series: Series) -> dict[str, list[str]]:
    """Return the UIDs of a joined series, those of the first part first; nothing for another series."""
    studies = list(dict.fromkeys(part.study_uid for part in series.parts))
    uids = {"series_uids": list(dict.fromkeys(part.series_uid for part in series.parts))} if series.parts else {}
    return {**uids, "study_uids": studies} if len(studies) > 1 else uids


def _image(image: Image, sums: Mapping[str, Sum]) -> dict[str, Any]:
    return {
        "number": image.number,
        "series": image.n,
        "k": image.k,
        "of": image.of,
        "name": image.name,
        "info": dict(image.info),
        "shape": list(image.shape),
        "files": list(image.files),
        "sums": {file: {"size": sums[file][0], "sha256": sums[file][1]} for file in image.files if file in sums},
    }


def _problem(problem: Problem) -> dict[str, str]:
    return {
        "code": problem.code.value,
        "subject": problem.subject,
        "message": problem.message,
        "hint": problem.hint,
        "severity": problem.severity.value,
    }
