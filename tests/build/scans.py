"""Functional scans of several vendors with planned counts, from which slices or volumes can be removed."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from qxbatch.acquisition import Acquisition
from qxbatch.core import SeriesFrames, scan_files
from qxbatch.inspect.facts import facts
from qxbatch.inspect.observed import observe
from tests.build.dicom import MrSeries, Vendor, encoded, uid
from tests.build.mosaics import Mosaic, csa_header
from tests.build.slices import block, enhanced_object

SLICES, VOLUMES = 6, 5
PLANNED = 8
"""Volumes that the headers plan."""

Change = Callable[[list[Dataset]], list[Dataset]]


def classic(
    vendor: Vendor = Vendor.SIEMENS, volumes: int = VOLUMES, *, start: str = "101500", **changes: object
) -> list[Dataset]:
    """Return a classic scan, volume by volume, 2 s apart; no header plans a count."""
    datasets = list(MrSeries(vendor=vendor, slices=SLICES, volumes=volumes).datasets())
    seconds = int(start[:2]) * 3600 + int(start[2:4]) * 60 + int(start[4:6])
    for index, dataset in enumerate(datasets):
        at = (seconds + 2 * (index // SLICES)) % 86400
        dataset.AcquisitionTime = f"{at // 3600:02}{at % 3600 // 60:02}{at % 60:02}.000000"
        del dataset.NumberOfTemporalPositions
        for keyword, value in changes.items():
            setattr(dataset, keyword, value)
    return datasets


def counted(datasets: list[Dataset], group: int, creator: str, element: int, vr: str, value: Any) -> list[Dataset]:
    """Add a private element with a count to all data sets."""
    for dataset in datasets:
        dataset.private_block(group, creator, create=True).add_new(element, vr, value)
    return datasets


def mosaics(volumes: int = VOLUMES, *, protocol: str = "", **changes: object) -> list[Dataset]:
    """Return mosaics of Siemens; `protocol` has the lines of their protocol text."""
    datasets = Mosaic(slices=SLICES, volumes=volumes, changes=changes).datasets()
    for dataset in datasets if protocol else []:
        text = f"<XProtocol>\n### ASCCONV BEGIN ###\n{protocol}\n### ASCCONV END ###"
        block_of = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
        block_of.add_new(0x20, "OB", csa_header({"MrPhoenixProtocol": [text]}))
    return datasets


def enhanced(volumes: int = VOLUMES, left_out: Sequence[int] = (), **changes: object) -> list[Dataset]:
    """Return one enhanced object without some of its frames."""
    slices = [part for index, part in enumerate(block(SLICES, volumes)) if index not in left_out]
    dataset = enhanced_object(slices)
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    return [dataset]


def without(datasets: list[Dataset], *left_out: int) -> list[Dataset]:
    """Return the data sets without those at some indices; negative ones count from the end."""
    dropped = {index % len(datasets) for index in left_out}
    return [dataset for index, dataset in enumerate(datasets) if index not in dropped]


def copied(datasets: list[Dataset], *twice: int) -> list[Dataset]:
    """Return the data sets, and copies of some of them with another SOPInstanceUID."""
    copies = []
    for index in twice:
        copy = Dataset(datasets[index])
        copy.SOPInstanceUID = uid("copy", index)
        copies.append(copy)
    return [*datasets, *copies]


def facts_of(datasets: Sequence[Dataset], folder: Path) -> Acquisition:
    """Write data sets, and return the facts of their only series."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, dataset in enumerate(datasets):
        (folder / f"IM{index:04}").write_bytes(encoded(dataset))
    return of_files(folder)


def of_files(folder: Path) -> Acquisition:
    """Return the facts of the only series in a folder."""
    found = scan_files([str(folder)])
    (group,) = found.groups()
    frames = SeriesFrames([found.path(index) for index in found.group_files(0)])
    return facts(observe(frames.acquired_stacks(), group.header, []))
