"""Classic MR series of any vendor, transfer syntax and shape, which a converter converts to a volume."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MRImageStorage,
    RLELossless,
    generate_uid,
)

from tests.build.encoded_elements import can_encode, encoded_file

ROOT = "1.2.826.0.1.3680043.8.498."


def uid(*parts: object) -> str:
    """Return the UID for these words and numbers, always the same."""
    return _uid(tuple(map(repr, parts)))


@cache
def _uid(words: tuple[str, ...]) -> str:
    return generate_uid(prefix=ROOT, entropy_srcs=list(words))


class Vendor(StrEnum):
    """Scanner makers, as spelled in their files."""

    SIEMENS = "SIEMENS"
    GE = "GE MEDICAL SYSTEMS"
    PHILIPS = "Philips Medical Systems"
    UIH = "UIH"
    CANON = "TOSHIBA"


MODELS = {
    Vendor.SIEMENS: "Prisma",
    Vendor.GE: "DISCOVERY MR750",
    Vendor.PHILIPS: "Achieva",
    Vendor.UIH: "uMR 770",
    Vendor.CANON: "Galan",
}


class Syntax(Enum):
    """Transfer syntaxes the builder can write."""

    EXPLICIT = ExplicitVRLittleEndian
    IMPLICIT = ImplicitVRLittleEndian
    BIG = ExplicitVRBigEndian
    DEFLATED = DeflatedExplicitVRLittleEndian
    RLE = RLELossless


_SMALL = 10_000
"""Voxels of a series that is kept in `_ENCODED`."""
_ENCODED: dict[str, dict[str, bytes]] = {}
"""Encoded series by their values as text: most tests use one of a few, and pydicom needs 5 ms for a file."""


@dataclass(frozen=True)
class MrSeries:
    """One classic MR series: `slices` x `volumes` files. `changes` sets any keyword; None removes it."""

    number: int | None = 3
    description: str | None = "T1w"
    protocol: str | None = None
    patient: str | None = "P001"
    name: str = "Doe^Jane"
    study: str = "study 1"
    """Any words; the study's UID is derived from them and the patient."""
    key: str = ""
    """More words for the series' UID, if two series have the same number."""
    vendor: Vendor = Vendor.SIEMENS
    slices: int = 3
    volumes: int = 1
    rows: int = 8
    columns: int = 6
    tr: float | None = 2000.0
    """ms, as (0018,0080)"""
    te: float | None = 30.0
    """ms, as (0018,0081)"""
    date: str = "20240115"
    time: str = "101500"
    syntax: Syntax = Syntax.EXPLICIT
    preamble: bool = True
    meta: bool = True
    changes: Mapping[str, object] = field(default_factory=dict)

    @property
    def study_uid(self) -> str:
        return uid("study", self.patient, self.study)

    @property
    def series_uid(self) -> str:
        return uid("series", self.patient, self.study, self.number, self.key)

    def with_(self, **fields: object) -> "MrSeries":
        """Return the series with other values."""
        return replace(self, **fields)  # type: ignore[arg-type]  # names are checked by replace itself

    def volume(self, volume: int = 0) -> NDArray[np.uint16]:
        """Return the voxels of one volume, shape (slices, rows, columns), all different within a slice of up to 10 columns."""
        z, y, x = np.indices((self.slices, self.rows, self.columns))
        number = self.number or 0
        return np.asarray(1 + x + 10 * y + 200 * z + 7 * volume + 13 * (number % 50), np.uint16)

    def datasets(self) -> Iterator[Dataset]:
        """Yield the files in the order of their instance numbers."""
        for volume in range(self.volumes):
            voxels = self.volume(volume)
            for z in range(self.slices):
                yield self._file(volume, z, voxels[z])

    def files(self) -> dict[str, bytes]:
        """Return file name -> bytes, named as exports do: IM0001 and so on. Small series are encoded once in a process."""
        is_small = self.rows * self.columns * self.slices * self.volumes <= _SMALL
        if not is_small or not all(
            value is None or isinstance(value, str | int | float) for value in self.changes.values()
        ):
            return self._encoded()
        key = repr(self)
        if key not in _ENCODED:
            _ENCODED[key] = self._encoded()
        return dict(_ENCODED[key])

    def _encoded(self) -> dict[str, bytes]:
        if can_encode(self.changes, self.syntax.value):
            order = ">u2" if self.syntax is Syntax.BIG else "<u2"
            files = (
                encoded_file(
                    self.values(volume, z) | {"PixelData": voxels[z].astype(order).tobytes()} | dict(self.changes),
                    self.syntax.value,
                    preamble=self.preamble,
                    meta=self.meta,
                )
                for volume in range(self.volumes)
                for voxels in [self.volume(volume)]
                for z in range(self.slices)
            )
        else:
            datasets = self.datasets()
            files = (encoded(dataset, self.syntax, preamble=self.preamble, meta=self.meta) for dataset in datasets)
        return {f"IM{k:04}": data for k, data in enumerate(files, start=1)}

    def write(self, folder: Path) -> list[Path]:
        """Write the files into a folder and return their paths."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for file_name, data in self.files().items():
            path = folder / file_name
            path.write_bytes(data)
            paths.append(path)
        return paths

    def _file(self, volume: int, z: int, pixels: NDArray[np.uint16]) -> Dataset:
        dataset = Dataset()
        for keyword, value in self.values(volume, z).items():
            if value is not None:
                setattr(dataset, keyword, value)
        dataset.PixelData = pixels.astype("<u2").tobytes()
        dataset["PixelData"].VR = "OW"
        return changed(dataset, self.changes)

    def values(self, volume: int = 0, z: int = 0) -> dict[str, object]:
        """Return the values of one file by keyword, without `changes` and pixels; None for an element that it has not."""
        return self._identity(1 + volume * self.slices + z) | self._image(volume, z)

    def _identity(self, instance: int) -> dict[str, object]:
        return {
            "SpecificCharacterSet": "ISO_IR 100",
            "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"],
            "SOPClassUID": MRImageStorage,
            "SOPInstanceUID": uid("image", self.series_uid, instance),
            "StudyDate": self.date,
            "SeriesDate": self.date,
            "AcquisitionDate": self.date,
            "ContentDate": self.date,
            "StudyTime": self.time,
            "SeriesTime": self.time,
            "AcquisitionTime": self.time,
            "ContentTime": self.time,
            "Modality": "MR",
            "Manufacturer": self.vendor.value,
            "InstitutionName": "Imaging Centre",
            "StationName": "MR1",
            "ManufacturerModelName": MODELS[self.vendor],
            "StudyDescription": "Brain",
            "SeriesDescription": self.description,
            "ProtocolName": self.protocol if self.protocol is not None else self.description,
            "PatientName": self.name,
            "PatientID": self.patient,
            "PatientPosition": "HFS",
            "StudyInstanceUID": self.study_uid,
            "SeriesInstanceUID": self.series_uid,
            "FrameOfReferenceUID": uid("frame", self.study_uid),
            "StudyID": "1",
            "SeriesNumber": self.number,
            "InstanceNumber": instance,
        }

    def _image(self, volume: int, z: int) -> dict[str, object]:
        half = [-(self.columns - 1) * 3.0 / 2, -(self.rows - 1) * 3.0 / 2]
        return {
            "ScanningSequence": "EP",
            "SequenceVariant": "NONE",
            "ScanOptions": "",
            "MRAcquisitionType": "2D",
            "SequenceName": "epfid2d1_64",
            "SliceThickness": "4.0",
            "SpacingBetweenSlices": "4.0",
            "RepetitionTime": self.tr,
            "EchoTime": self.te,
            "EchoNumbers": 1,
            "MagneticFieldStrength": "3.0",
            "FlipAngle": "77",
            "AcquisitionNumber": volume + 1,
            "TemporalPositionIdentifier": volume + 1 if self.volumes > 1 else None,
            "NumberOfTemporalPositions": self.volumes if self.volumes > 1 else None,
            "ImagePositionPatient": [*half, 4.0 * z],
            "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
            "SliceLocation": 4.0 * z,
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
            "Rows": self.rows,
            "Columns": self.columns,
            "PixelSpacing": [3.0, 3.0],
            "BitsAllocated": 16,
            "BitsStored": 12,
            "HighBit": 11,
            "PixelRepresentation": 0,
        }


def changed(dataset: Dataset, changes: Mapping[str, object]) -> Dataset:
    """Set keywords of a data set in place; None removes the element."""
    for keyword, value in changes.items():
        if value is None:
            if keyword in dataset:
                delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


def encoded(dataset: Dataset, syntax: Syntax = Syntax.EXPLICIT, *, preamble: bool = True, meta: bool = True) -> bytes:
    """Return the bytes of a file; without `meta` a bare data set, as in old exports (PS3.10, 7.1). Changes the data set."""
    if syntax is Syntax.BIG and "PixelData" in dataset:
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
    if meta:
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.FileMetaInformationGroupLength = 0  # pydicom replaces it, but does not add it
        dataset.file_meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", "")
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", "")
        dataset.file_meta.TransferSyntaxUID = syntax.value
        dataset.file_meta.ImplementationVersionName = "BUILDER"
        dataset.file_meta.FileMetaInformationVersion = b"\x00\x01"
    if syntax is Syntax.RLE:
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.preamble = b"\x00" * 128 if preamble and meta else None
    out = BytesIO()
    dcmwrite(
        out,
        dataset,
        implicit_vr=syntax is Syntax.IMPLICIT,
        little_endian=syntax is not Syntax.BIG,
        enforce_file_format=False,
    )
    return out.getvalue()
