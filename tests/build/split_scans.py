"""One scan as written by exporters that give its parts different UIDs or numbers."""

from collections.abc import Callable

from pydicom.dataset import Dataset

from tests.build.dicom import MrSeries, changed, encoded, uid

Changes = Callable[[Dataset], dict[str, object]]


def exported(series: MrSeries, changes: Changes, prefix: str = "") -> dict[str, bytes]:
    """Return the files of a series, each with separate changes."""
    datasets = (changed(dataset, changes(dataset)) for dataset in series.datasets())
    return {f"{prefix}IM{k:04}": encoded(dataset) for k, dataset in enumerate(datasets, start=1)}


def volume_uid(dataset: Dataset) -> str:
    """Return the SeriesInstanceUID of a file if each volume has a different one."""
    return uid("volume", dataset.SeriesInstanceUID, dataset.AcquisitionNumber)


def by_volume(series: MrSeries, prefix: str = "") -> dict[str, bytes]:
    """Return files in which each volume has a different SeriesInstanceUID."""
    return exported(series, lambda dataset: {"SeriesInstanceUID": volume_uid(dataset)}, prefix)


def by_slice(series: MrSeries, prefix: str = "") -> dict[str, bytes]:
    """Return files in which each slice of each volume has a different SeriesInstanceUID."""
    return exported(series, lambda dataset: {"SeriesInstanceUID": uid("slice", dataset.SOPInstanceUID)}, prefix)


def by_number(series: MrSeries, prefix: str = "") -> dict[str, bytes]:
    """Return files in which the volumes of series n have the numbers n x 1000 + 1, n x 1000 + 2 and so on."""
    return exported(
        series,
        lambda dataset: {
            "SeriesNumber": dataset.SeriesNumber * 1000 + dataset.AcquisitionNumber,
            "SeriesInstanceUID": volume_uid(dataset),
        },
        prefix,
    )


def by_study(series: MrSeries, prefix: str = "", *, frame: str | None = "frame") -> dict[str, bytes]:
    """Return files in which each volume has a different StudyInstanceUID and SeriesInstanceUID.

    All have the FrameOfReferenceUID of the word `frame`; None: they have none.
    """
    return exported(
        series,
        lambda dataset: {
            "StudyInstanceUID": uid("study", dataset.StudyInstanceUID, dataset.AcquisitionNumber),
            "SeriesInstanceUID": volume_uid(dataset),
            "FrameOfReferenceUID": frame and uid(frame),
        },
        prefix,
    )
