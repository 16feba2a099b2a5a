"""Mosaics: all slices of a volume as tiles of one stored image, as written by Siemens and United Imaging."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from tests.build.dicom import MrSeries, Vendor, changed, uid

ROWS, COLUMNS, SPACING, STEP = 8, 8, 3.0, 2.5


@dataclass(frozen=True)
class Mosaic:
    """A series of mosaics: one file for each volume."""

    slices: int = 5
    volumes: int = 3
    vendor: Vendor = Vendor.SIEMENS
    b_values: Sequence[float] = ()
    """b-values, one for each volume of a diffusion scan."""
    changes: Mapping[str, object] = field(default_factory=dict)

    def with_(self, **fields: Any) -> "Mosaic":
        """Return the series with other values."""
        return replace(self, **fields)

    @property
    def is_siemens(self) -> bool:
        """Whether the tiles are in a square grid with a CSA header."""
        return self.vendor is Vendor.SIEMENS

    def tiles(self, volume: int) -> NDArray[np.uint16]:
        """Return the values of a volume, shape (slices, rows, columns), all different."""
        k, y, x = np.indices((self.slices, ROWS, COLUMNS))
        return np.asarray(10 + x + COLUMNS * y + 70 * k + 500 * volume, np.uint16)

    def datasets(self) -> list[Dataset]:
        """Return the files in the order of their instance numbers."""
        return [self._file(volume) for volume in range(self.volumes)]

    def _file(self, volume: int) -> Dataset:
        across = int(np.ceil(np.sqrt(self.slices)))
        down = across if self.is_siemens else -(-self.slices // across)
        grid = np.zeros((down * ROWS, across * COLUMNS), "<u2")
        for k, tile in enumerate(self.tiles(volume)):
            y, x = divmod(k, across)
            grid[y * ROWS : (y + 1) * ROWS, x * COLUMNS : (x + 1) * COLUMNS] = tile
        dataset = next(MrSeries(slices=1, rows=grid.shape[0], columns=grid.shape[1], vendor=self.vendor).datasets())
        first = np.array([-10.5, -10.5, 4.0])
        # The position that Siemens writes is that of a slice as large as the grid, with the same centre.
        larger = np.array([grid.shape[1] - COLUMNS, grid.shape[0] - ROWS, 0]) / 2 * SPACING
        values = {
            "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"] if self.is_siemens else [*VFRAME],
            "InstanceNumber": volume + 1,
            "AcquisitionNumber": volume + 1,
            "AcquisitionTime": f"1015{volume:02}.000000",
            "SOPInstanceUID": uid("mosaic", self.vendor, volume),
            "SliceThickness": STEP,
            "SpacingBetweenSlices": STEP,
            "SliceLocation": None,
            "ImagePositionPatient": list(first - larger if self.is_siemens else first),
            "PixelData": grid.tobytes(),
            **self.changes,
        }
        changed(dataset, values)
        b_value = self.b_values[volume] if self.b_values else None
        if self.is_siemens:
            _siemens(dataset, self.slices, b_value)
        else:
            _uih(dataset, [first + np.array([0, 0, STEP * k]) for k in range(self.slices)], b_value)
        return dataset


VFRAME = ("ORIGINAL", "PRIMARY", "M", "VFRAME")
DIRECTION = [1.0, 0.0, 0.0]
CSA_VRS = {
    "NumberOfImagesInMosaic": b"US",
    "PhaseEncodingDirectionPositive": b"IS",
    "AcquisitionMatrixText": b"SH",
    "B_value": b"IS",
    "DiffusionDirectionality": b"CS",
}


def _siemens(dataset: Dataset, slices: int, b_value: float | None) -> None:
    values: dict[str, list[str]] = {
        "NumberOfImagesInMosaic": [str(slices)],
        "SliceNormalVector": ["0.00000000", "0.00000000", "1.00000000"],
        "PhaseEncodingDirectionPositive": ["1"],
        "AcquisitionMatrixText": [f"{ROWS}*{COLUMNS}"],
    }
    block = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0A, "US", slices)
    if b_value is not None:
        values |= {"B_value": [f"{b_value:g}"], "DiffusionDirectionality": ["DIRECTIONAL" if b_value else "NONE"]}
        block.add_new(0x0C, "IS", str(int(b_value)))
        block.add_new(0x0D, "CS", "DIRECTIONAL" if b_value else "NONE")
        dataset.SequenceName = f"*ep_b{b_value:g}" + ("#1" if b_value else "")
    if b_value:
        values["DiffusionGradientDirection"] = [f"{part:.8f}" for part in DIRECTION]
        block.add_new(0x0E, "FD", DIRECTION)
    csa = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    csa.add_new(0x08, "CS", "IMAGE NUM 4")
    csa.add_new(0x10, "OB", csa_header(values))


def csa_header(values: Mapping[str, Sequence[str]]) -> bytes:
    """Return a CSA header of format SV10 with these texts."""
    out = b"SV10\4\3\2\1" + struct.pack("<II", len(values), 77)
    for name, texts in values.items():
        count = max(6, len(texts))
        vr = CSA_VRS.get(name, b"FD")
        out += struct.pack("<64si4siii", name.encode(), len(texts), vr, 4, count, 77)
        for text in [*texts, *[""] * (count - len(texts))]:
            data = text.encode() + b"\0" if text else b""
            out += struct.pack("<4i", len(data), len(data), 77, len(data)) + data + bytes(-len(data) % 4)
    return out


def _uih(dataset: Dataset, positions: Sequence[NDArray[np.float64]], b_value: float | None) -> None:
    block = dataset.private_block(0x0065, "Image Private Header", create=True)
    if b_value is not None:
        block.add_new(0x09, "FD", float(b_value))
        block.add_new(0x0A, "FD", float(b_value))
        block.add_new(0x37, "FD", DIRECTION if b_value else [0.0, 0.0, 0.0])
    block.add_new(0x50, "DS", str(len(positions)))
    items = []
    for position in positions:
        tile = Dataset()
        tile.ImagePositionPatient = list(position)
        items.append(tile)
    block.add_new(0x51, "SQ", Items(items))
