"""DICOM files with only the header elements of a test, and two bytes of pixel data."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydicom.dataset import Dataset

from qxbatch.core import SeriesFrames
from qxbatch.model import Value
from tests.build.dicom import encoded

PRIVATE = {
    "SiemensNumberOfImagesInMosaic": ("SIEMENS MR HEADER", 0x0019, 0x0A, "US"),
    "GEImagesInSeries": ("GEMS_SERS_01", 0x0025, 0x07, "SL"),
}


def series_frames(folder: Path, headers: Sequence[Mapping[str, Value]]) -> SeriesFrames:
    """Write a file for each header (keywords to values, None for an absent one) and read them with the core.

    A header without Rows has no pixel data, as long as it has a SOPClassUID.
    """
    folder.mkdir(exist_ok=True)
    paths = []
    for k, header in enumerate(headers):
        dataset = Dataset()
        for keyword, value in header.items():
            if value is None:
                continue
            if keyword in PRIVATE:
                creator, group, element, vr = PRIVATE[keyword]
                dataset.private_block(group, creator, create=True).add_new(element, vr, value)
            else:
                setattr(dataset, keyword, value)
        if "Rows" in header or "SOPClassUID" not in header:
            dataset.BitsAllocated = 16
            dataset.PixelData = bytes(2)
        paths.append(folder / f"{k}.dcm")
        paths[-1].write_bytes(encoded(dataset))
    return SeriesFrames([str(path) for path in paths])
