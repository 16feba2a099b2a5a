"""Slices with known positions and values, as classic files or as frames of an enhanced object, and a check of images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import EnhancedMRImageStorage

from tests.build.dicom import MrSeries, Syntax, changed, encoded, uid
from tests.build.encoded_elements import can_encode, encoded_file
from tests.build.objects import PER_FRAME_KEYWORDS, item

ROWS, COLUMNS = 8, 6
SPACING = 3.0
STRAIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
MAGNITUDE = ("ORIGINAL", "PRIMARY", "M", "NONE")
PHASE = ("ORIGINAL", "PRIMARY", "P", "NONE")


@dataclass(frozen=True)
class Slice:
    """One image: its position, its distinguishing attributes, and its values, which depend on z, volume and base."""

    z: float
    volume: int = 0
    base: int = 0
    """Added to all values."""
    orientation: tuple[float, ...] = STRAIGHT
    echo: float = 30.0
    kind: tuple[str, ...] = MAGNITUDE
    stack: str = "1"
    changes: Mapping[str, object] = field(default_factory=dict)
    """Keywords of the classic file."""

    @property
    def position(self) -> tuple[float, float, float]:
        """Return ImagePositionPatient."""
        return (-7.5, -10.5, self.z)

    @property
    def pixels(self) -> NDArray[np.int64]:
        """Return the values, shape (rows, columns)."""
        y, x = np.indices((ROWS, COLUMNS))
        return np.asarray(self.base + round(self.z * 10) + 300 * self.volume + x + COLUMNS * y, np.int64)

    def with_(self, **fields: Any) -> "Slice":
        """Return the slice with other values."""
        return replace(self, **fields)


def block(places: int = 6, volumes: int = 1, step: float = 2.0, **fields: Any) -> list[Slice]:
    """Return the slices of a scan, volume by volume."""
    return [Slice(step * place, volume, **fields) for volume in range(volumes) for place in range(places)]


def classic(part: Slice, number: int, changes: Mapping[str, object] | None = None, dtype: str = "<u2") -> Dataset:
    """Return a slice as a classic object; TR, TE and positions are elements of the object."""
    return changed(next(_series(part).datasets()), _classic_values(part, number, changes, dtype))


def _series(part: Slice) -> MrSeries:
    return MrSeries(slices=1, rows=ROWS, columns=COLUMNS, te=part.echo)


def _classic_values(
    part: Slice, number: int, changes: Mapping[str, object] | None, dtype: str = "<u2"
) -> dict[str, object]:
    """Return the values of a slice that differ from those of its series, by keyword."""
    return {
        "InstanceNumber": number,
        "SOPInstanceUID": uid("slice", number, part),
        "ImageType": list(part.kind),
        "ImagePositionPatient": list(part.position),
        "ImageOrientationPatient": list(part.orientation),
        "SliceLocation": None,
        "SliceThickness": 2,
        "SpacingBetweenSlices": 2,
        "AcquisitionNumber": part.volume + 1,
        "PixelData": part.pixels.astype(dtype).tobytes(),
        **part.changes,
        **(changes or {}),
    }


def write_classic(folder: Path, slices: Sequence[Slice], syntax: Syntax = Syntax.EXPLICIT, **changes: object) -> Path:
    """Write slices as classic files into a folder, numbered in this order."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, part in enumerate(slices, start=1):
        (folder / f"IM{number:04}").write_bytes(_encoded_classic(part, number, changes, syntax))
    return folder


def _encoded_classic(part: Slice, number: int, changes: Mapping[str, object], syntax: Syntax) -> bytes:
    values = _classic_values(part, number, changes)
    if not can_encode(values, syntax.value):
        return encoded(classic(part, number, changes), syntax)
    return encoded_file(_series(part).values() | values, syntax.value, preamble=True, meta=True)


def enhanced_object(slices: Sequence[Slice], *, dimensions: bool = True, times: bool = True) -> Dataset:
    """Return slices as the frames of one enhanced object, in this order."""
    dataset = classic(slices[0], 1)
    changed(dataset, dict.fromkeys((*PER_FRAME_KEYWORDS, "AcquisitionNumber", "AcquisitionDate", "AcquisitionTime")))
    dataset.SOPClassUID = EnhancedMRImageStorage
    dataset.SOPInstanceUID = uid("enhanced", *slices)
    dataset.NumberOfFrames = len(slices)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "MIXED", "NONE"]
    measures = item(PixelSpacing=[SPACING, SPACING], SliceThickness=2, SpacingBetweenSlices=2)
    timing = item(RepetitionTime=2000, FlipAngle=77)
    shared = item(PixelMeasuresSequence=Items([measures]), MRTimingAndRelatedParametersSequence=Items([timing]))
    dataset.SharedFunctionalGroupsSequence = Items([shared])
    if dimensions:
        pointers = (0x00209056, 0x00209057, 0x00209128)
        dataset.DimensionIndexSequence = Items(
            [item(DimensionIndexPointer=tag, FunctionalGroupPointer=0x00209111) for tag in pointers]
        )
    places = {stack: sorted({part.z for part in slices if part.stack == stack}) for stack in {p.stack for p in slices}}
    dataset.PerFrameFunctionalGroupsSequence = Items(
        [_frame(part, places[part.stack].index(part.z) + 1, dimensions=dimensions, times=times) for part in slices]
    )
    dataset.PixelData = np.stack([part.pixels for part in slices]).astype("<u2").tobytes()
    return dataset


def _frame(part: Slice, place: int, *, dimensions: bool, times: bool) -> Dataset:
    content = Dataset()
    if times:
        content.FrameAcquisitionDateTime = f"20240115101500.{part.volume:03}{place:03}"
    if dimensions:
        content.StackID = part.stack
        content.InStackPositionNumber = place
        content.TemporalPositionIndex = part.volume + 1
        content.DimensionIndexValues = [int(part.stack), place, part.volume + 1]
    component = "PHASE" if "P" in part.kind else "MAGNITUDE"
    kind = item(FrameType=list(part.kind), ComplexImageComponent=component)
    return item(
        FrameContentSequence=Items([content]),
        MREchoSequence=Items([item(EffectiveEchoTime=part.echo)]),
        MRImageFrameTypeSequence=Items([kind]),
        PlanePositionSequence=Items([item(ImagePositionPatient=list(part.position))]),
        PlaneOrientationSequence=Items([item(ImageOrientationPatient=list(part.orientation))]),
    )


def write_enhanced(folder: Path, slices: Sequence[Slice], syntax: Syntax = Syntax.EXPLICIT, **options: bool) -> Path:
    """Write slices as one enhanced file into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "IM0001").write_bytes(encoded(enhanced_object(slices, **options), syntax))
    return folder


def check_image(path: Path, slices: Sequence[Slice], *, tolerance: float = 0.1) -> None:
    """Check that an image contains exactly these slices: volumes in order, each value at its position (mm)."""
    image: Any = nibabel.load(path)
    values = np.asarray(image.dataobj).reshape(*image.shape[:3], -1)
    volumes = sorted({part.volume for part in slices})
    assert values.shape[3] == len(volumes)
    assert values.size == len(slices) * ROWS * COLUMNS
    for part in slices:
        values_at = _values_at(image.affine, values[..., volumes.index(part.volume)], part, tolerance)
        np.testing.assert_array_equal(values_at, part.pixels.astype(float))


def _values_at(affine: NDArray[Any], volume: NDArray[Any], part: Slice, tolerance: float) -> NDArray[Any]:
    """Return the values of a volume at the pixel positions in a slice's header (PS3.3 C.7.6.2.1.1)."""
    y, x = np.indices((ROWS, COLUMNS)).reshape(2, -1)
    row, column = np.reshape(part.orientation, (2, 3))
    places = np.asarray(part.position) + SPACING * (np.outer(x, row) + np.outer(y, column))
    places *= (-1, -1, 1)  # NIfTI's axes point to the right and to the front
    voxels = (places - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T
    nearest = np.rint(voxels).astype(int)
    assert np.linalg.norm((voxels - nearest) @ affine[:3, :3].T, axis=1).max() <= tolerance
    return np.asarray(volume[tuple(nearest.T)]).reshape(ROWS, COLUMNS)
