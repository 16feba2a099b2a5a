"""Series of the sample data sets by vendor and form of storage."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pydicom
import pytest

from tests.build.tamper import Files, limited


@dataclass(frozen=True)
class Sample:
    """Location of a series: a folder of files, or of members of an archive."""

    folder: str
    archive: str = ""
    pattern: str = "*"
    limit: tuple[int, int] = (0, 0)
    """Number of slices and volumes of classic files to use; 0: `most` files."""
    most: int = 1000
    """Number of files to use without `limit`."""

    def files(self, data: Path) -> Files:
        """Read the series again; skips the test if the set does not have it."""
        chosen = _chosen(self, data)
        if not chosen:
            pytest.skip(f"no sample data: {data / self.archive / self.folder} is absent")
        files: Files = [pydicom.dcmread(io.BytesIO(part)) for part in chosen]
        return limited(files, *self.limit) if self.limit[0] else files

    def bytes_of_files(self, data: Path) -> Iterator[bytes]:
        """Yield the files of the folder, decompressed."""
        if self.archive:
            yield from members(data / self.archive, self.folder)
            return
        for path in sorted((data / self.folder).glob(self.pattern)):
            if path.is_file():
                part = path.read_bytes()
                yield gzip.decompress(part) if part[:2] == b"\x1f\x8b" else part


@cache
def _chosen(sample: Sample, data: Path) -> tuple[bytes, ...]:
    """Return the bytes of the images of a sample's first series, as many as requested."""
    parts = [part for part in sample.bytes_of_files(data) if part[128:132] == b"DICM"]
    pairs = [(pydicom.dcmread(io.BytesIO(part)), part) for part in parts]
    pairs = [(file, part) for file, part in pairs if "PixelData" in file]
    pairs = [(file, part) for file, part in pairs if file.SeriesInstanceUID == pairs[0][0].SeriesInstanceUID]
    if not sample.limit[0]:
        return tuple(part for _, part in pairs[: sample.most])
    kept = {id(file) for file in limited([file for file, _ in pairs], *sample.limit)}
    return tuple(part for file, part in pairs if id(file) in kept)


@cache
def members(path: Path, folder: str) -> tuple[bytes, ...]:
    """Return the files below a folder of an archive, by name."""
    if not path.is_file():
        return ()
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            names = sorted(name for name in archive.namelist() if name.startswith(folder) and not name.endswith("/"))
            return tuple(archive.read(name) for name in names)
    return tuple(data for name, data in sorted(_tar(path).items()) if name.startswith(folder))


@cache
def _tar(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        return {member.name: file.read() for member in tar if (file := tar.extractfile(member)) is not None}


STC, GE, CANON = "dcm_qa_stc/In.tar.bz2", "dcm_qa_ge/In.tar.gz", "dcm_qa_toshiba/In.zip"
D2N = "dicom2nifti_sub/tests/data"

MOSAICS: dict[str, Sample] = {
    "siemens-vb12": Sample("In/Siemens/B12/", STC),
    "siemens-vb17": Sample("In/Siemens/B17/", STC),
    "siemens-d13": Sample("In/Siemens/D13/ep2d_Asc_2", STC),
    "siemens-e11": Sample("dcm_qa_nih/In/20180918Si/mr_0003"),
    "siemens-prisma": Sample("dcm_qa_mosaic/In/ep2d_Asc_HF_10"),
    "siemens-multi-echo": Sample("dcm_qa_me/In/4_me_fMRI"),
    "uih": Sample("In/UIH/", STC, most=5),
}
CLASSIC: dict[str, Sample] = {
    "siemens-field-map": Sample("dcm_qa_me/In/2_me_FieldMap_GRE", limit=(8, 2)),
    "siemens-two-echoes": Sample("dcm_qa_pdt2/In/Siemens/VE11", limit=(8, 2)),
    "siemens-dwi": Sample("In/Siemens/E11_2D/", STC, limit=(8, 1)),
    "siemens-xa30": Sample("dcm_qa_xa30i/In/19001_asl_2d_tra"),
    "siemens-xa30-jpeg": Sample("dcm_qa_frag/In/5001_anat-T1w_acq-tfl", limit=(8, 1)),
    "ge-dti": Sample("In/01_Ax_DWI", GE),
    "ge-fmri": Sample("In/SliceTimingRT/2_epiRT_IntAsc_GD3s", GE, limit=(8, 3)),
    "ge-fmri-mr750": Sample("dcm_qa_nih/In/20180918GE/mr_0004", limit=(6, 4)),
    "philips-dwi": Sample("dcm_qa_philips_dwi/In/cl/DICOM", pattern="IM_*", limit=(6, 4)),
    "canon-dti": Sample("In/Galan/7006_DTI_ortho/", CANON, limit=(6, 4)),
    "hitachi": Sample(f"{D2N}/hitachi/anatomical/001_implicit"),
}
ENHANCED: dict[str, Sample] = {
    "siemens-xa10": Sample("dcm_qa_enh/In/Siemens/XA10"),
    "siemens-xa10-stc": Sample("In/Siemens/XA10/", STC, most=5),
    "siemens-xa30": Sample("dcm_qa_xa30/In/25_asl_2d_tra", most=3),
    "siemens-xa30-field-map": Sample("dcm_qa_xa30/In/8_gre_field_mapping"),
    "philips-field-map": Sample("nitest-balls1/DICOM", pattern="fieldmap.dcm"),
    "philips-t2": Sample("nitest-balls1/DICOM", pattern="T2.dcm"),
    "philips-dti": Sample(f"{D2N}/philips_enhanced/dti/001"),
    "philips-dti-implicit": Sample(f"{D2N}/philips_enhanced/dti/001_implicit"),
    "philips-dwi-adc": Sample("nitest-balls1/DICOM", pattern="DTI.dcm"),
    "philips-b0": Sample("dcm_qa_enh/In/Philips"),
}
SYNTAXES: dict[str, Sample] = {f"syntax-{k}": Sample("dcm_qa_ts/In", pattern=f"{k}.dcm") for k in range(1, 10)}
"""Explicit, implicit, big endian, RLE, JPEG lossless, JPEG-LS, JPEG 2000."""
