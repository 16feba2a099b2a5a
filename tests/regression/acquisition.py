"""The acquisition facts of imported sessions compared with an independent reading: pydicom, the images, and their sidecars."""

import gzip
import io
import json
import math
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Compared:
    """Two readings of one fact of one series."""

    series: str
    field: str
    ours: Any
    theirs: Any

    @property
    def agrees(self) -> bool:
        """Whether the readings agree: numbers within 0.2 %, texts up to the first `.` of ours, lists of numbers in any order."""
        return _close(self.ours, self.theirs)


SIDECAR = {
    "tr_ms": ("RepetitionTime", 1e3),
    "ti_ms": ("InversionTime", 1e3),
    "flip_angle_deg": ("FlipAngle", 1.0),
    "in_plane_acceleration": ("ParallelReductionFactorInPlane", 1.0),
    "multiband_factor": ("MultibandAccelerationFactor", 1.0),
    "partial_fourier": ("PartialFourier", 1.0),
    "effective_echo_spacing_s": ("EffectiveEchoSpacing", 1.0),
    "total_readout_time_s": ("TotalReadoutTime", 1.0),
    "pixel_bandwidth_hz": ("PixelBandwidth", 1.0),
    "field_strength_t": ("MagneticFieldStrength", 1.0),
}


def compared(session: Path) -> Iterator[Compared]:
    """Yield each fact that both readings have, for each DICOM series with an image."""
    summary = json.loads((session / "qxbatch" / "summary.json").read_text(encoding="utf-8"))
    for series in summary["series"]:
        paths = [session / image["files"][0] for image in summary["images"] if image["series"] == series["n"]]
        if series["kind"] != "dicom" or not paths or "acquisition" not in series:
            continue
        ours: Facts = series["acquisition"]
        theirs = {**_of_images(paths), **_of_headers(_headers(session, series["n"]))}
        name = f"{series['n']} {series['header'].get('SeriesDescription', '')}".strip()
        for field in sorted(ours.keys() & theirs.keys()):
            yield Compared(name, field, ours[field], theirs[field])


def _of_images(paths: Sequence[Path]) -> dict[str, Any]:
    """Return the facts in the images and their sidecars."""
    images: list[Any] = [nibabel.load(path) for path in paths]
    first = images[0]
    found: dict[str, Any] = {
        "acquired_volumes": max(image.shape[3] if image.ndim > 3 else 1 for image in images),
        "matrix": sorted(max(images, key=lambda image: math.prod(image.shape)).shape[:3]),
        "voxel_mm": sorted(round(float(side), 4) for side in np.linalg.norm(first.affine[:3, :3], axis=0)),
    }
    sidecars = [json.loads(path.read_text()) for path in map(_sidecar, paths) if path.is_file()]
    for field, (key, scale) in SIDECAR.items():
        value = sidecars[0].get(key) if sidecars else None
        if isinstance(value, int | float):
            found[field] = value * scale
    if sidecars and "PhaseEncodingDirection" in sidecars[0]:
        found["phase_encoding_direction"] = sidecars[0]["PhaseEncodingDirection"]
    echoes = {round(one["EchoTime"] * 1e3, 3) for one in sidecars if one.get("EchoTime")}
    return found | ({"te_ms": sorted(echoes)} if echoes else {}) | _b_values(paths)


def _sidecar(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".nii.gz") + ".json")


def _b_values(paths: Sequence[Path]) -> dict[str, Any]:
    tables = [path.with_name(path.name.removesuffix(".nii.gz") + ".bval") for path in paths]
    values = [float(word) for table in tables if table.is_file() for word in table.read_text().split()]
    rounded = [round(value, 1) for value in values]
    counted = [[value, rounded.count(value)] for value in sorted(set(rounded))]
    return {"b_values": counted} if any(values) else {}


def _headers(session: Path, n: int) -> Sequence[Dataset]:
    found = []
    for data in _files(session / "dicom" / str(n)):
        try:
            found.append(pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True))
        except InvalidDicomError:
            continue
    return found


def _files(folder: Path) -> Iterator[bytes]:
    """Yield the content of the files of a series, however they are stored."""
    packed = folder.with_name(f"{folder.name}.tar.gz")
    if packed.is_file():
        with tarfile.open(packed) as archive:
            yield from (file.read() for member in archive if (file := archive.extractfile(member)) is not None)
        return
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        yield gzip.decompress(data) if path.suffix == ".gz" else data


def _of_headers(headers: Sequence[Dataset]) -> dict[str, Any]:
    """Return the facts that pydicom reads from classic objects: start and orientation."""
    found: dict[str, Any] = {}
    times = sorted(
        f"{one.AcquisitionDate}{one.AcquisitionTime}"
        for one in headers
        if one.get("AcquisitionDate") and one.get("AcquisitionTime") and "NumberOfFrames" not in one
    )
    if times:
        day, clock = times[0][:8], times[0][8:14]
        found["started"] = f"{day[:4]}-{day[4:6]}-{day[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:6]}"
    cosines = [float(value) for value in headers[0].get("ImageOrientationPatient") or []] if headers else []
    if len(cosines) == 6:
        normal = np.abs(np.cross(cosines[:3], cosines[3:]))
        names = ("sagittal", "coronal", "axial")
        found["orientation"] = names[int(normal.argmax())] if normal.max() >= 0.8 else "oblique"
    return found


def _close(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        one, other = (sorted(one), sorted(other)) if not any(isinstance(each, list) for each in one) else (one, other)
        return len(one) == len(other) and all(map(_close, one, other))
    if isinstance(one, str):
        return bool(one.partition(".")[0] == str(other))
    return math.isclose(one, other, rel_tol=2e-3, abs_tol=1e-6)


GROUP_DELAY = (
    "The converter adds GE's delay between groups of slices to the repetition time; the fact is RepetitionTime."
)
TRACE = "The converter writes the trace image (b-value without direction) as a separate image; the fact counts it."
SCATTERED = "The slices are not evenly spaced, and the converter writes them as several images."
NO_POSITION = "Saved screens have no positions: each file is a volume of one slice, and the converter stacks them."
SELECTED = "The set has one of 44 images: the count of GE plans 44 slices in one volume."
DWELL_TIME = (
    "The converter computes the bandwidth from the dwell time of the CSA header; the fact is PixelBandwidth, rounded."
)
CAUSES = {
    ("pixel_bandwidth_hz", "MPRAGE"): DWELL_TIME,
    ("tr_ms", "epiRT"): GROUP_DELAY,
    ("tr_ms", "fMRI Multiphase"): GROUP_DELAY,
    ("b_values", "DTI"): TRACE,
    ("matrix", "AAHead_Scout_MPR"): SCATTERED,
    ("voxel_mm", "AAHead_Scout_MPR"): SCATTERED,
    ("matrix", "Liver Segmentation"): SCATTERED,
    ("matrix", "Routine Brain"): SCATTERED,
    ("voxel_mm", "Routine Brain"): SCATTERED,
    ("voxel_mm", "Scout"): SCATTERED,
    ("matrix", "Perfusion_Weighted"): NO_POSITION,
    ("acquired_volumes", "Perfusion_Weighted"): NO_POSITION,
    ("matrix", ""): SELECTED,
}
"""Maps a field and the start of SeriesDescription to the cause of a difference (docs/acquisition-check.md)."""


def unexplained(session: Path) -> list[Compared]:
    """Return the facts that differ from the independent reading without a known cause."""
    return [one for one in compared(session) if not one.agrees and not _cause(one)]


def _cause(one: Compared) -> str:
    description = one.series.partition(" ")[2]
    known = ((begin, cause) for (field, begin), cause in CAUSES.items() if field == one.field)
    return next((cause for begin, cause in known if (description.startswith(begin) if begin else not description)), "")
