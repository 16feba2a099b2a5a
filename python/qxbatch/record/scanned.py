"""A series in the form that a protocol compares."""

from qxbatch.acquisition import Acquisition, SeriesVerdict
from qxbatch.convert.header_values import text, whole_number
from qxbatch.model import HeaderLike
from qxbatch.protocol.scanned import ScannedSeries, scanner_name
from qxbatch.record.names import series_name, session_txt_field


def scanned_series(
    n: int, header: HeaderLike, verdict: SeriesVerdict | None, acquisition: Acquisition | None
) -> ScannedSeries:
    """Return the values of a series that a protocol compares. `n` is the number of its folder, `dicom/n`."""
    maker, model = (session_txt_field(text(header, field)) for field in ("Manufacturer", "ManufacturerModelName"))
    return ScannedSeries(
        n,
        whole_number(header, "SeriesNumber"),
        series_name(header),
        scanner_name(maker, model),
        verdict,
        acquisition,
    )
