"""A second reader for files that look like DICOM and that the core could not parse: pydicom."""

from qxbatch.core import FIELDS, Header, Reading
from qxbatch.importing import importing
from qxbatch.problems import Code, Problem, Severity


def read_suspects(reading: Reading, subject: str) -> list[Problem]:
    """Ask pydicom about each suspect: the readable ones join their series, with one warning; the others stay suspects."""
    supplied = []
    for row in reading.suspects():
        header = pydicom_header(reading.staged(row))
        if header is not None:
            supplied.append(reading.row(row))
            reading.supply(row, header)
    if not supplied:
        return []
    first, more = supplied[0], f" and {len(supplied) - 1} more" if len(supplied) > 1 else ""
    message = f"pydicom read the header of {first.path}{more}: {first.reason}."
    return [Problem(Code.HEADER_FALLBACK, subject, message, "Look at the images.", severity=Severity.WARNING)]


def pydicom_header(path: str) -> Header | None:
    """Return the wanted fields of a file as pydicom reads them, or None when it finds no series in it."""
    import logging
    import warnings

    with importing():
        from pydicom import config, dcmread
        from pydicom.datadict import tag_for_keyword

    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    tags = [tag for keyword in FIELDS if (tag := tag_for_keyword(keyword)) is not None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with config.disable_value_validation():
                dataset = dcmread(path, stop_before_pixels=True, force=True, specific_tags=tags)
                values = {e.keyword: _notation(e.value) for e in dataset if e.keyword in FIELDS}
        except Exception:  # noqa: BLE001 - pydicom raises anything on damaged data; the file is kept with its reason
            return None
    if not values.get("SeriesInstanceUID") or not values.get("SOPInstanceUID"):
        return None
    return Header.from_values(values)


def _notation(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str | int | float):
        return str(value)
    try:
        return "\\".join(str(v) for v in value)  # type: ignore[attr-defined]
    except TypeError:
        return str(value)
