"""A series in the form that a protocol compares."""

from qxbatch.acquisition import Acquisition, SeriesVerdict
from qxbatch.convert.values import text, whole_number
from qxbatch.model import HeaderLike
from qxbatch.protocol.scanned import ScannedSeries, scanner_name
from qxbatch.record.names import base_name, safe


def scanned_series(
    n: int, header: HeaderLike, verdict: SeriesVerdict | None, acquisition: Acquisition | None
) -> ScannedSeries:
    """Return the values of a series with this header that a protocol compares."""
    maker, model = (safe(text(header, field)) for field in ("Manufacturer", "ManufacturerModelName"))
    return ScannedSeries(
        n,
        whole_number(header, "SeriesNumber"),
        base_name(header),
        scanner_name(maker, model),
        verdict,
        acquisition,
    )
