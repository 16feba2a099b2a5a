"""Counts the series of a packet with pydicom alone."""

import bz2
import gzip
import hashlib
import io
import tarfile
import warnings
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pydicom
from pydicom.uid import UID

Key = tuple[str, str, int | None]
"""StudyInstanceUID, SeriesInstanceUID, SeriesNumber."""
TAGS = ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "SeriesNumber"]


def members(packet: Path) -> Iterator[tuple[str, bytes]]:
    """Yield (name, bytes) of a packet's files."""
    if packet.is_dir():
        yield from ((path.name, path.read_bytes()) for path in sorted(packet.rglob("*")) if path.is_file())
    elif packet.suffix == ".zip":
        with zipfile.ZipFile(packet) as archive:
            yield from (
                (Path(info.filename).name, archive.read(info)) for info in archive.infolist() if not info.is_dir()
            )
    else:
        with tarfile.open(packet) as archive_tar:
            files = ((Path(info.name).name, archive_tar.extractfile(info)) for info in archive_tar)
            yield from ((name, file.read()) for name, file in files if file)


def plain(data: bytes) -> bytes:
    """Return the bytes without gzip or bzip2."""
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data)
    return bz2.decompress(data) if data[:3] == b"BZh" else data


def series(packet: Path) -> dict[Key, int]:
    """Return the number of different files of each series that pydicom finds in a packet, without private files of Philips."""
    found: dict[Key, set[str]] = defaultdict(set)
    for name, packed in members(packet):
        data = plain(packed)
        header = read(data)
        if header is None or not header.get("SeriesInstanceUID") or not header.get("SOPInstanceUID"):
            continue
        if name.startswith(("XX_0", "PS_0")) and "Image Storage" not in UID(header.get("SOPClassUID", "")).name:
            continue  # Philips' private raw data and presentation states stay in inbox
        key = (str(header.get("StudyInstanceUID", "")), str(header.SeriesInstanceUID), number(header))
        found[key].add(hashlib.sha256(data).hexdigest())
    return {key: len(digests) for key, digests in joined(found).items()}


def read(data: bytes) -> pydicom.Dataset | None:
    """Return the header of what pydicom reads as DICOM; None for other data."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True, force=True, specific_tags=TAGS)
        except Exception:  # noqa: BLE001 - what pydicom cannot read has no series
            return None


def number(header: pydicom.Dataset) -> int | None:
    """Return SeriesNumber; None where it counts as missing (docs/numbers.md)."""
    try:
        value = int(header.get("SeriesNumber") or 0)
    except (TypeError, ValueError):
        return None
    return value if value > 0 else None


def joined(found: dict[Key, set[str]]) -> dict[Key, set[str]]:
    """Join files without a number to the only number of their UID."""
    out = {key: set(digests) for key, digests in found.items()}
    for study, uid, missing in list(out):
        numbers = [key for key in out if key[:2] == (study, uid) and key[2] is not None]
        if missing is None and len(numbers) == 1:
            out[numbers[0]] |= out.pop((study, uid, None))
    return out


def observed(sessions: dict[str, dict[str, object]]) -> dict[Key, int]:
    """Return the same counts from qxbatch's output, for all sessions together."""
    counts: dict[Key, int] = {}
    for session in sessions.values():
        series = session["series"]
        assert isinstance(series, dict)
        for one in series.values():
            if one["kind"] == "dicom":
                given = one.get("SeriesNumber")
                key = (
                    one.get("StudyInstanceUID", ""),
                    one["SeriesInstanceUID"],
                    given if given and given > 0 else None,
                )
                counts[key] = counts.get(key, 0) + one["files"]
    return counts
