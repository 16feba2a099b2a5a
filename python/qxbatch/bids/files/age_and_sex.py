"""Age and sex of subjects, from the headers of their sorted DICOM."""

import gzip
import os
import tarfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import IO, Any, cast

from qxbatch.bids.files.export_cache import ExportCache
from qxbatch.bids.files.planned_files import series_files
from qxbatch.bids.files.sources import SourceError
from qxbatch.deflated import is_data_set_larger
from qxbatch.model import SeriesKind
from qxbatch.session.folder import SessionFolder
from qxbatch.session.layout import PACKED_SUFFIX

_MAX_AGE = 89
"""Highest age in years that is written, as BIDS recommends for privacy; it stands for all higher ages."""
_DAYS = {"D": 1.0, "W": 7.0, "M": 365.25 / 12, "Y": 365.25}
"""Days of each unit of a DICOM age string (VR AS)."""
_MAX_INFLATED_BYTES = 256 << 20
"""An object in the deflated transfer syntax that inflates to more bytes is not read."""
_MAX_TAR_HEADER_BYTES = 4 << 20
"""A packed series with more bytes of headers before its first object is not read: tarfile has them all in memory."""
_KEYWORDS = ("PatientAge", "PatientBirthDate", "PatientSex", "StudyDate", "AcquisitionDate")
_SEXES = ("F", "M", "O")


def age_and_sex(session: SessionFolder, cache: ExportCache) -> dict[str, str]:
    """Return `age` (in years) and `sex` (F, M or O) from the headers, as text; unknown values are omitted.

    The headers are read only if `cache` has no values for the current summary. Without a summary the result is empty. The values
    are not stored after an error of the operating system, which may be temporary, or if an import replaced the session meanwhile.
    """
    begin_ns = time.time_ns()
    try:
        status = os.stat(session.paths.summary)  # noqa: PTH116 - beside os.stat_result
    except OSError:
        return {}
    values = cache.age_and_sex(session.id, status)
    if values is None or len(values) != 2:  # noqa: PLR2004 - age and sex
        from_headers, has_read_error = _from_headers(session)
        values = [from_headers.get("age", ""), from_headers.get("sex", "")]
        # in a session that was replaced, the headers and the summary can be of different imports
        if not has_read_error and not session.was_replaced:
            cache.store_age_and_sex(session.id, status, values, begin_ns)
    return {name: value for name, value in zip(("age", "sex"), values, strict=True) if value}


def _from_headers(session: SessionFolder) -> tuple[dict[str, str], bool]:
    """Return `age` and `sex`, as far as known, from the first DICOM series whose first header can be read.

    Also return whether a series before it could not be read because of an error of the operating system.
    """
    import pydicom
    from pydicom.errors import InvalidDicomError

    has_read_error = False
    for series in session.series:
        if series.kind is not SeriesKind.DICOM:
            continue
        try:
            for path in series_files(session, series.n)[:1]:
                with _first_object(path) as file:
                    if is_data_set_larger(file, _MAX_INFLATED_BYTES):
                        raise ValueError(path)  # noqa: TRY301 - the next series is read
                    header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=list(_KEYWORDS), force=True)
                return _values(header), has_read_error
        except (SourceError, OSError):
            has_read_error = True
        except (
            EOFError,
            ValueError,
            tarfile.TarError,
            zlib.error,
            InvalidDicomError,
            AttributeError,
            KeyError,
            TypeError,
        ):
            continue
    return {}, has_read_error


@contextmanager
def _first_object(path: Path) -> Iterator[IO[bytes]]:
    """Open the first DICOM object of a file of a series. Raises OSError, TarError, zlib.error, and EOFError if it has none."""
    if path.name.endswith(PACKED_SUFFIX):
        with _TarGzContent(path) as content, _opened_tar(content) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isfile() else None
                if file is not None:
                    content.max_bytes = None
                    yield file
                    return
        raise EOFError(str(path))
    if path.suffix == ".gz":
        with gzip.open(path) as unpacked:
            yield cast("IO[bytes]", unpacked)
        return
    with path.open("rb") as plain:
        yield plain


class _TarGzContent(gzip.GzipFile):
    """The content of a tar.gz, from which tarfile can read a limited number of bytes; seeking does not count."""

    max_bytes: int | None = _MAX_TAR_HEADER_BYTES
    """The number of bytes that can still be read; None for any."""

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes. Raises TarError if the limit is exceeded, and OSError and EOFError for damaged content."""
        if self.max_bytes is not None:
            if size is None or not 0 <= size <= self.max_bytes:
                raise tarfile.ReadError(f"{self.name}: its headers are too large")
            self.max_bytes -= size
        return super().read(size)


def _opened_tar(content: _TarGzContent) -> tarfile.TarFile:
    """Open a tar and read its first header. Raises OSError, EOFError, zlib.error and TarError, also if it is not in a gzip file."""
    try:
        return tarfile.open(None, "r:", content)
    except gzip.BadGzipFile as error:
        raise tarfile.ReadError(str(error)) from None


def _values(header: Any) -> dict[str, str]:
    values = {}
    sex = str(header.get("PatientSex", "") or "").strip().upper()[:1]
    if sex in _SEXES:
        values["sex"] = sex
    age = age_text(
        str(header.get("PatientAge", "") or ""),
        str(header.get("PatientBirthDate", "") or ""),
        str(header.get("StudyDate", "") or header.get("AcquisitionDate", "") or ""),
    )
    return {**values, **({"age": age} if age else {})}


def age_text(age: str, birth_date: str, scan_date: str) -> str:
    """Return the age in whole years, at most 89; below 2 years with up to two decimals. Empty if it is not known or not above 0.

    `age` is a DICOM age string; without a valid one, the age is computed from the two DICOM dates.

    >>> age_text("034Y", "", ""), age_text("006M", "", ""), age_text("", "19500101", "20260101"), age_text("095Y", "", "")
    ('34', '0.5', '76', '89')
    """
    number, unit = age[:-1], age[-1:].upper()
    if unit in _DAYS and number.isdecimal():
        years = int(number) * _DAYS[unit] / _DAYS["Y"]
    else:
        years = _years_between(birth_date, scan_date)
    if years <= 0:
        return ""
    return f"{years:.2f}".rstrip("0").rstrip(".") if years < 2 else str(min(_MAX_AGE, int(years + 1e-9)))  # noqa: PLR2004


def _years_between(birth_date: str, scan_date: str) -> float:
    """Return the years between two DICOM dates, from 2 years on the number of birthdays; 0 if a date is missing or not valid."""
    try:
        born, scanned = date.fromisoformat(birth_date.strip()), date.fromisoformat(scan_date.strip())
    except ValueError:
        return 0
    birthdays = scanned.year - born.year - ((scanned.month, scanned.day) < (born.month, born.day))
    return birthdays if birthdays >= 2 else (scanned - born).days / _DAYS["Y"]  # noqa: PLR2004
