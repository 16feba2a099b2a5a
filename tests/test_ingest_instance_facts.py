"""The facts of a header that decide whether parts are one scan."""

from datetime import date

import pytest

from qxbatch.core import Header
from qxbatch.ingest.instance_facts import instance_of, may_be_numbered_in_thousands
from qxbatch.ingest.scan_part import Instance, agree
from qxbatch.ingest.starts import Start

GEOMETRY = {"ImageOrientationPatient": "1\\0\\0\\0\\1\\0", "ImagePositionPatient": "0\\0\\0"}
NEW_YEAR = date(2024, 1, 1).toordinal()


def instance(**values: str) -> Instance:
    result = instance_of(Header.from_values(GEOMETRY | values))
    assert result is not None
    return result


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("InPlanePhaseEncodingDirection", "ROW", "COL"),
        ("ScanOptions", "PFP", "PFP\\MT"),
        ("ScanOptions", "PFP", ""),
        ("ScanningSequence", "EP", "GR"),
        ("SequenceVariant", "SK", "SK\\SP"),
        ("SequenceName", "fm2d0", "fm2d1"),
        ("SequenceName", "ep_b0", "epfid2d1_64"),
        ("PulseSequenceName", "epfid2d1", "fl3d1"),
        ("MRAcquisitionType", "2D", "3D"),
        ("ReceiveCoilName", "HC1", "HC2"),
        ("PixelBandwidth", "500", "800"),
        ("ContrastBolusAgent", "", "Gadovist"),
        ("InversionTime", "100", "400"),
        ("InversionTime", "100", ""),
        ("RepetitionTime", "500", "800"),
    ],
)
def test_files_that_differ_in_one_attribute_belong_to_different_scans(field: str, one: str, other: str) -> None:
    assert agree(instance(**{field: one}), instance(**{field: one}))
    assert not agree(instance(**{field: one}), instance(**{field: other}))


@pytest.mark.parametrize("words", ["MOSAIC", "ORIGINAL\\PRIMARY\\M\\MOSAIC"])
def test_a_mosaic_is_a_volume_also_with_an_image_type_of_one_word(words: str) -> None:
    assert instance(ImageType=words).is_volume
    assert not instance(ImageType="ORIGINAL").is_volume


@pytest.mark.parametrize("field", ["SequenceName", "PulseSequenceName"])
@pytest.mark.parametrize("name", ["ep_b1000#3", "ep_b50t", "ep_b1000"])
def test_the_b_value_in_the_sequence_name_can_differ(field: str, name: str) -> None:
    assert agree(instance(**{field: "ep_b0"}), instance(**{field: name}))


def test_b_values_and_nearly_equal_repetition_times_can_differ() -> None:
    one = instance(DiffusionBValue="0", RepetitionTime="2000")
    assert agree(one, instance(DiffusionBValue="1000", RepetitionTime="2010"))


@pytest.mark.parametrize(
    ("time", "second"),
    [
        ("10", 36000.0),
        ("1001", 36060.0),
        ("100102", 36062.0),
        ("100102.5", 36062.5),
        ("10:01:02", 36062.0),
        ("100102.", 36062.0),
        ("235960", 86400.0),
    ],
)
def test_times_of_every_precision_are_parsed(time: str, second: float) -> None:
    result = instance(AcquisitionDate="20240101", AcquisitionTime=time)
    assert result.starts == (Start(NEW_YEAR, second), None, None)


@pytest.mark.parametrize("time", ["", "x", "1", "250000", "1061", "-10000", "1000001"])
def test_an_invalid_time_is_unknown(time: str) -> None:
    assert instance(AcquisitionTime=time).starts == (None, None, None)


def test_the_study_date_replaces_a_missing_date() -> None:
    assert instance(SeriesTime="00", StudyDate="2024.01.01").starts == (None, Start(NEW_YEAR, 0.0), None)
    assert instance(SeriesTime="00", SeriesDate="00000000").starts == (None, Start(None, 0.0), None)


@pytest.mark.parametrize("zone", ["", "+0100", "-0500"])
def test_date_and_time_can_be_one_value(zone: str) -> None:
    assert instance(AcquisitionDateTime=f"20240101100102.5{zone}").starts[0] == Start(NEW_YEAR, 36062.5)


def test_only_siemens_numbers_the_parts_of_a_series_within_a_thousand() -> None:
    makers = ("SIEMENS", "Siemens Healthineers", "CANON_MEC", "Philips Medical Systems", "")
    result = [may_be_numbered_in_thousands(Header.from_values({"Manufacturer": maker})) for maker in makers]
    assert result == [True, True, False, False, False]
