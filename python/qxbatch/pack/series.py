"""Stores the files of one series in `dicom/` of the session that is being built."""

import errno
import shutil
from enum import StrEnum
from pathlib import Path

from qxbatch.core import DeflateStreams, Monitor, gzip_file, pack_folder
from qxbatch.session.layout import PACKED_SUFFIX, at_of_packed_file, packed_name
from qxbatch.settings.model import Gzip


class StorageForm(StrEnum):
    """How a series is stored in the session."""

    PACKED = "packed"
    """`dicom/<n>.tar.gz`, members `<n>/<name>`"""
    GZIPPED = "gzipped"
    """`dicom/<n>/<name>.dcm.gz`; the files of a PAR/REC are not compressed."""
    PLAIN = "plain"
    """`dicom/<n>/<name>`"""


def current_gzip(dicom: Path) -> Gzip:
    """Return the value of `--gzip` with which the first compressed series in `dicom` was stored; NO if no series is compressed."""
    for path in sorted(dicom.iterdir()) if dicom.is_dir() else ():
        if path.name.endswith(PACKED_SUFFIX):
            return Gzip.FOLDER
        if path.is_dir() and path.name.isdigit() and any(file.suffix == ".gz" for file in path.iterdir()):
            return Gzip.FILE
    return Gzip.NO


def storage_form(folder: Path, gzip: Gzip) -> StorageForm:
    """Return how to store the series in `folder`. If some of its files are gzipped already (`--unzip=no`), it stays as it is."""
    if gzip is Gzip.NO or any(path.suffix == ".gz" for path in folder.iterdir()):
        return StorageForm.PLAIN
    return StorageForm.PACKED if gzip is Gzip.FOLDER else StorageForm.GZIPPED


def store_series(
    folder: Path, dicom: Path, form: StorageForm, level: int, monitor: Monitor, streams: DeflateStreams | None = None
) -> None:
    """Store the files of a series below `dicom`. `folder` contains them and is named after the n of the series.

    A PLAIN series is moved; otherwise its files stay in `folder`. `streams` has the files that a zip packet contains in
    deflated form.

    Raises OSError when a file cannot be read or written, and CancelledError.
    """
    n = folder.name
    if form is StorageForm.PACKED:
        pack_folder(str(folder), str(dicom / packed_name(n)), n, level=level, streams=streams, monitor=monitor)
    elif form is StorageForm.GZIPPED:
        (dicom / n).mkdir()
        for path in sorted(folder.iterdir()):
            if path.suffix == ".dcm":
                gzip_file(str(path), str(dicom / n / f"{path.name}.gz"), level=level, monitor=monitor)
            else:  # converters read unpacked PAR/REC
                shutil.copy2(path, dicom / n / path.name)
    else:
        move(folder, dicom / n)


def move(source: Path, target: Path) -> None:
    """Move a file or folder; between file systems, copy it and remove the original once the copy is complete."""
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.move(source, target)


def stored_at(at: str, n: int, form: StorageForm) -> str:
    """Return where a file is once its series is stored; `at` is where sorting placed it, `dicom/<n>/<name>`.

    >>> stored_at("dicom/30/P-30-1.2.dcm", 30, StorageForm.PACKED)
    'dicom/30.tar.gz!30/P-30-1.2.dcm'
    """
    if form is StorageForm.PACKED:
        return at_of_packed_file(n, at)
    return f"{at}.gz" if form is StorageForm.GZIPPED and at.endswith(".dcm") else at
