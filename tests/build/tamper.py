"""Classic files and mosaics changed after the scan: each function returns the changed files, or None if it cannot."""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import UID, RLELossless

from tests.build.dicom import uid

Files = list[Dataset]
Change = Callable[[Files], Files | None]
UIH_TILES = 0x00651051
SIXTEEN, LARGEST_SIGNED = 16, 32767


def numbers(values: Any) -> list[str]:
    """Return numbers as a DS value: 16 characters at most."""
    return [f"{float(value):.9g}"[:16] for value in values]


def normal(file: Dataset) -> NDArray[np.float64]:
    """Return the normal of a classic file's plane."""
    row, column = np.reshape(np.asarray(file.ImageOrientationPatient, float), (2, 3))
    return np.asarray(np.cross(row, column))


def volumes(files: Files) -> list[Files]:
    """Return classic files volume by volume, each along its normal: the n-th file at each position belongs to volume n."""
    places: defaultdict[float, Files] = defaultdict(list)
    for file in sorted(files, key=lambda file: int(file.InstanceNumber)):
        along = float(np.asarray(file.ImagePositionPatient, float) @ normal(file))
        places[round(along, 1)].append(file)
    most = max(map(len, places.values()))
    return [[places[place][k] for place in sorted(places) if k < len(places[place])] for k in range(most)]


def middle(files: Files) -> Dataset:
    """Return the middle slice of the middle volume; the middle file of mosaics."""
    if len(files[0].ImageType) > 3 and {"MOSAIC", "VFRAME"} & set(files[0].ImageType):
        return files[len(files) // 2]
    all_volumes = volumes(files)
    volume = all_volumes[len(all_volumes) // 2]
    return volume[len(volume) // 2]


def shifted(millimetres: float, *, along: bool) -> Change:
    """Move the middle slice along its normal, or along its rows."""

    def change(files: Files) -> Files:
        file = middle(files)
        direction = normal(file) if along else np.asarray(file.ImageOrientationPatient[:3], float)
        _move(file, millimetres * direction)
        return files

    return change


def moved_volume(files: Files) -> Files | None:
    """Move all slices of the middle volume by 1.4 mm: prospective motion correction."""
    tiled = {"MOSAIC", "VFRAME"} & set(files[0].ImageType)
    all_volumes = [[file] for file in files] if tiled else volumes(files)
    if len(all_volumes) == 1:
        return None
    for file in all_volumes[len(all_volumes) // 2]:
        _move(file, np.array([0.7, 0.5, 1.1]))
    return files


def _move(file: Dataset, by: NDArray[np.float64]) -> None:
    for part in file[UIH_TILES].value if UIH_TILES in file else [file]:
        part.ImagePositionPatient = numbers(np.asarray(part.ImagePositionPatient, float) + by)


def turned(angle: float, *, in_plane: bool) -> Change:
    """Turn the middle slice about its normal or about its rows."""

    def change(files: Files) -> Files:
        file = middle(files)
        row, column = np.reshape(np.asarray(file.ImageOrientationPatient, float), (2, 3))
        if in_plane:
            row, column = (
                row * math.cos(angle) + column * math.sin(angle),
                column * math.cos(angle) - row * math.sin(angle),
            )
        else:
            column = column * math.cos(angle) + normal(file) * math.sin(angle)
        file.ImageOrientationPatient = numbers([*row, *column])
        return files

    return change


def without_middle_slice(files: Files) -> Files:
    """Remove the middle slice of the middle volume; the middle file of mosaics."""
    return [file for file in files if file is not middle(files)]


def without_last_slice(files: Files) -> Files:
    """Remove the outermost slice of the last volume."""
    last = volumes(files)[-1][-1]
    return [file for file in files if file is not last]


def without_middle_volume(files: Files) -> Files | None:
    """Remove all slices of the middle volume of three or more."""
    all_volumes = volumes(files)
    if len(all_volumes) < 3:
        return None
    removed = {id(file) for file in all_volumes[len(all_volumes) // 2]}
    return [file for file in files if id(file) not in removed]


def duplicated(files: Files) -> Files:
    """Add a copy of the middle slice under another SOPInstanceUID and InstanceNumber."""
    copy = deepcopy(middle(files))
    copy.SOPInstanceUID = UID(uid("copy", copy.SOPInstanceUID))
    copy.file_meta.MediaStorageSOPInstanceUID = copy.SOPInstanceUID
    copy.InstanceNumber = 1 + max(int(file.InstanceNumber) for file in files)
    return [*files, copy]


def signed(files: Files) -> Files | None:
    """Write all values as 16 bits of the other signedness; the values are the same."""
    return files if all(map(_flip, files)) else None


def half_signed(files: Files) -> Files | None:
    """Write the values of half of the files in the other signedness."""
    return files if len(files) > 1 and all(map(_flip, files[: len(files) // 2])) else None


def _flip(file: Dataset) -> bool:
    """Flip PixelRepresentation of an object with the same values; return False if signed or unsigned 16 bits cannot store them."""
    values = file.pixel_array
    if file.BitsAllocated != SIXTEEN or values.min() < 0 or values.max() > LARGEST_SIGNED:
        return False
    file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 15, 1 - file.PixelRepresentation
    store(file, values)
    return True


def store(file: Dataset, values: NDArray[Any]) -> None:
    """Set 16-bit pixel data in the file's byte order."""
    big = file.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.2"
    file.PixelData = np.asarray(values).astype(">u2" if big else "<u2").tobytes()


def sixteen_bits(files: Files) -> Files:
    """Declare 16 stored bits; the values are the same."""
    for file in files:
        file.BitsStored, file.HighBit = 16, 15
    return files


def high_bits(files: Files) -> Files | None:
    """Keep 12-bit values in the upper bits of the words: HighBit 15."""
    if any(file.BitsAllocated != SIXTEEN or file.pixel_array.max() > 4095 for file in files):
        return None
    for file in files:
        values = file.pixel_array.astype("u2") << 4
        file.BitsStored, file.HighBit, file.PixelRepresentation = 12, 15, 0
        store(file, values)
    return files


def slope_of_one(files: Files) -> Files:
    """Change RescaleSlope of the middle slice."""
    file = middle(files)
    file.RescaleSlope, file.RescaleIntercept = "1.5", file.get("RescaleIntercept", "0")
    return files


def slopes_vary(files: Files) -> Files:
    """Give each file another RescaleSlope and RescaleIntercept."""
    for k, file in enumerate(files):
        file.RescaleSlope, file.RescaleIntercept = f"{1 + 0.01 * k:g}", str(-(k % 5))
    return files


def spacing_of_one(files: Files) -> Files:
    """Enlarge the pixels of the middle slice by 5 %."""
    file = middle(files)
    file.PixelSpacing = numbers(1.05 * float(value) for value in file.PixelSpacing)
    return files


def one_in_rle(files: Files) -> Files | None:
    """Compress the middle slice by RLE."""
    file = middle(files)
    if file.file_meta.TransferSyntaxUID != "1.2.840.10008.1.2.1":
        return None
    file.compress(RLELossless, generate_instance_uid=False)
    return files


def without_private(files: Files) -> Files:
    """Remove all private elements, as anonymizers do."""
    for file in files:
        file.remove_private_tags()
    return files


def limited(files: Files, slices: int, most: int) -> Files:
    """Return `slices` around the middle of the first `most` volumes of a classic series, as if no more had been scanned."""
    first_volumes = volumes(files)[:most]
    first = max(0, len(first_volumes[0]) // 2 - slices // 2)
    kept = [file for volume in first_volumes for file in volume[first : first + slices]]
    for file in kept:
        for tag, count in ((0x00200105, len(first_volumes)), (0x20011081, len(first_volumes)), (0x00251007, len(kept))):
            if tag in file:
                file[tag].value = count
    return kept


CLASSIC: dict[str, Change] = {
    "normal-0.3mm": shifted(0.3, along=True),
    "normal-5mm": shifted(5, along=True),
    "in-plane-0.3mm": shifted(0.3, along=False),
    "in-plane-5mm": shifted(5, along=False),
    "turned-0.003": turned(0.003, in_plane=False),
    "turned-in-plane-0.003": turned(0.003, in_plane=True),
    "without-middle-slice": without_middle_slice,
    "without-last-slice": without_last_slice,
    "without-middle-volume": without_middle_volume,
    "duplicated": duplicated,
    "spacing-of-one": spacing_of_one,
}
"""Changes for slices in separate files."""
PIXELS: dict[str, Change] = {
    "signed": signed,
    "half-signed": half_signed,
    "16-bits": sixteen_bits,
    "high-bits": high_bits,
    "slope-of-one": slope_of_one,
    "slopes-vary": slopes_vary,
    "one-in-rle": one_in_rle,
}
"""Changes for the pixels of classic files and mosaics."""


def names(*tables: dict[str, Change]) -> Sequence[str]:
    """Return the names of changes."""
    return [name for table in tables for name in table]
