"""Reading one header from Python: fields, types, and refused input."""

import gzip

import pytest

from qxbatch import _core
from tests.build.dicom import MrSeries, Syntax


def one_file(**fields: object) -> bytes:
    """Return the bytes of one DICOM file."""
    return next(iter(MrSeries(slices=1).with_(**fields).files().values()))


def test_values_have_the_type_of_their_field() -> None:
    header = _core.read_header(one_file())
    assert header.get("PatientID") == "P001"
    assert header.get("SeriesNumber") == 3
    assert header.get("EchoTime") == 30.0
    assert header.get("PixelSpacing") == [3.0, 3.0]
    assert header.get("ImageType") == ["ORIGINAL", "PRIMARY", "M", "ND"]
    assert header.get("Rows") == 8
    assert header.get("AccessionNumber") is None


def test_items_are_the_fields_with_a_value_in_table_order() -> None:
    header = _core.read_header(one_file())
    names = [name for name, _ in header.items()]
    assert names == [name for name in _core.FIELDS if header.get(name) is not None]
    assert dict(header.items())["PatientName"] == "Doe^Jane"


def test_an_unknown_field_raises_key_error() -> None:
    with pytest.raises(KeyError, match="PixelData"):
        _core.read_header(one_file()).get("PixelData")
    with pytest.raises(KeyError, match="PixelData"):
        _core.Header.from_values({"PixelData": "x"})


def test_a_header_made_from_text_has_typed_values() -> None:
    header = _core.Header.from_values(
        {"PatientName": "王^小東", "SeriesNumber": "04", "ImageType": "A\\B", "SpecificCharacterSet": "ISO_IR 100"}
    )
    assert header.get("PatientName") == "王^小東"
    assert header.get("SeriesNumber") == 4
    assert header.get("ImageType") == ["A", "B"]
    assert header.get("EchoTime") is None


def test_a_gzipped_file_is_read() -> None:
    assert _core.read_header(gzip.compress(one_file())).get("PatientID") == "P001"


@pytest.mark.parametrize("data", [b"", b"a text", bytes(5000), b"\x1f\x8b\x08", gzip.compress(b"a text", mtime=0)])
def test_data_that_is_not_dicom_raises_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="no DICOM"):
        _core.read_header(data)


def test_a_wrong_element_length_raises_value_error_with_its_offset() -> None:
    data = bytearray(one_file(syntax=Syntax.IMPLICIT))
    offset = data.index(b"\x10\x00\x10\x00") + 4
    data[offset : offset + 4] = (1 << 30).to_bytes(4, "little")
    with pytest.raises(ValueError, match=rf"\(0010,0010\).*at byte {offset + 4}"):
        _core.read_header(bytes(data))


def test_fields_are_dicom_keywords_or_start_with_a_vendor() -> None:
    from pydicom.datadict import tag_for_keyword

    private = [name for name in _core.FIELDS if tag_for_keyword(name) is None]
    assert all(name.startswith(("Siemens", "GE", "Philips")) for name in private)
    assert len(set(_core.FIELDS)) == len(_core.FIELDS)
