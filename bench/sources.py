"""The real files that are replicated: sample data where present, else what comes inside pydicom and nibabel."""

import os
from dataclasses import dataclass
from pathlib import Path

import nibabel
import pydicom

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Sources:
    """Files of real scans, by what they are good for."""

    key: str
    """A word for folder names."""
    name: str
    scan: tuple[Path, ...]
    """A mixture of vendors, for the header scan."""
    classic: tuple[Path, ...]
    """One series of many small files, one slice each."""
    mosaic: tuple[Path, ...]
    """A series of few large files, one volume each."""
    long: tuple[Path, ...]
    """A mosaic of about 400 KB, for long series."""
    tiny: tuple[Path, ...]
    """Files of 2.3 KB, where only their number matters."""


def find() -> Sources:
    """Return the sample data's files, or those of the installed packages."""
    named = os.environ.get("QXBATCH_TEST_DATA")
    data = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    pydicom_mr = Path(pydicom.__file__).parent / "data" / "test_files" / "dicomdirtests" / "98892003"
    tiny = dicom_files(pydicom_mr)
    if (data / "dcm_qa_nih").is_dir():
        nih = data / "dcm_qa_nih" / "In"
        sets = (nih, data / "dcm_qa" / "In" / "Orientation", data / "dcm_qa_me" / "In")
        return Sources(
            key="sample-data",
            name="dcm_qa_nih, dcm_qa, dcm_qa_me (GE and Siemens)",
            scan=tuple(path for folder in sets for path in dicom_files(folder)),
            classic=dicom_files(nih / "20180918GE" / "mr_0004"),
            mosaic=dicom_files(nih / "20180918Si" / "mr_0003"),
            long=dicom_files(data / "dcm_qa" / "In" / "Orientation" / "cor" / "corasc35"),
            tiny=tiny,
        )
    nibabel_mr = Path(nibabel.__file__).parent / "nicom" / "tests" / "data"
    mosaics = (nibabel_mr / "0.dcm", nibabel_mr / "1.dcm")
    return Sources(
        key="packages",
        name="the MR files inside pydicom and nibabel (no sample data here)",
        scan=(*tiny, *mosaics),
        classic=dicom_files(pydicom_mr / "MR2"),
        mosaic=mosaics,
        long=mosaics,
        tiny=tiny,
    )


def dicom_files(folder: Path) -> tuple[Path, ...]:
    """Return the files below a folder that carry the DICOM mark, sorted."""
    return tuple(path for path in sorted(folder.rglob("*")) if path.is_file() and is_dicom(path))


def is_dicom(path: Path) -> bool:
    """Say whether a file has a preamble and the mark `DICM` (PS3.10, 7.1)."""
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"
