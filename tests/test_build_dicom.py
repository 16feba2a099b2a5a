"""The fast encoder of the tests writes what pydicom writes."""

from pathlib import Path

import pytest

from tests.build.dicom import MrSeries, Syntax, Vendor, encoded
from tests.build.slices import block, classic, write_classic

SERIES = [
    MrSeries(),
    MrSeries(number=None, patient=None, volumes=2, vendor=Vendor.GE, name="Müller^Jürgen"),
    MrSeries(preamble=False),
    MrSeries(meta=False, tr=None, te=None),
    MrSeries(changes={"ImageType": ["DERIVED", "PRIMARY"], "SOPInstanceUID": None, "Rows": None, "EchoTrainLength": 3}),
    MrSeries(changes={"ReferencedImageSequence": [], "SmallestImagePixelValue": 3}),
    MrSeries(slices=1, changes={"PixelData": bytes(range(96))}),
    MrSeries(changes={"SpecificCharacterSet": "ISO_IR 192"}, name="Żak^Ян"),
]


@pytest.mark.parametrize("syntax", [Syntax.EXPLICIT, Syntax.IMPLICIT, Syntax.BIG])
@pytest.mark.parametrize("series", SERIES)
def test_files_are_those_of_pydicom(series: MrSeries, syntax: Syntax) -> None:
    series = series.with_(syntax=syntax)
    slow = [encoded(data, syntax, preamble=series.preamble, meta=series.meta) for data in series.datasets()]
    assert list(series.files().values()) == slow


@pytest.mark.parametrize("syntax", [Syntax.EXPLICIT, Syntax.IMPLICIT, Syntax.BIG])
@pytest.mark.parametrize("changes", [{}, {"BitsAllocated": None, "ImageComments": "b=0"}, {"PixelData": b"\x01\x02"}])
def test_files_of_slices_are_those_of_pydicom(tmp_path: Path, changes: dict[str, object], syntax: Syntax) -> None:
    slices = block(2, 2)
    files = sorted(write_classic(tmp_path / "slices", slices, syntax, **changes).iterdir())
    slow = [encoded(classic(part, k, changes), syntax) for k, part in enumerate(slices, start=1)]
    assert [path.read_bytes() for path in files] == slow
