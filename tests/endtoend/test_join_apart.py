"""Series that look like parts of one scan, and are none, are kept separate, in real runs."""

import pytest

from tests.build.dicom import MrSeries, Vendor, encoded, uid
from tests.build.objects import enhanced
from tests.build.packets import under
from tests.build.split_scans import by_study, by_volume
from tests.build.study import Study
from tests.endtoend.joins import RUN, T1, imported, noted, numbers, successful
from tests.endtoend.judge import Judge


def pair(one: MrSeries, other: MrSeries) -> dict[str, bytes]:
    return {**under("a", one.files()), **under("b", other.files())}


ACQUIRED_SECOND = {"AcquisitionNumber": 2}
PHASE = {**ACQUIRED_SECOND, "ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"]}
FIRST_OF_THOUSAND = T1.with_(number=5001)
APART = {
    "a repeated T1 under another number": pair(T1, T1.with_(number=6)),
    "a repeated T1 under another number, with another acquisition": pair(
        T1, T1.with_(number=6, changes=ACQUIRED_SECOND)
    ),
    "a repeated T1 under the same number": pair(T1, T1.with_(key="again", time="110000")),
    "an SBRef and its run": pair(T1.with_(number=4, description="task_SBRef"), RUN),
    "an SBRef with the name and number of its run": pair(T1.with_(description="task", key="sbref"), RUN),
    "two runs of one task": pair(RUN, RUN.with_(number=6)),
    "two runs of one task under one number": pair(RUN, RUN.with_(key="again")),
    "two visits": pair(T1, T1.with_(study="visit 2", date="20240220")),
    "two visits in one frame of reference": pair(
        T1.with_(changes={"FrameOfReferenceUID": uid("f")}),
        T1.with_(study="visit 2", date="20240220", changes={"FrameOfReferenceUID": uid("f"), **ACQUIRED_SECOND}),
    ),
    "studies without a frame of reference": by_study(RUN, frame=None),
    "magnitude and phase": pair(T1, T1.with_(key="phase", changes=PHASE)),
    "magnitude and phase numbered within a thousand": pair(FIRST_OF_THOUSAND, T1.with_(number=5002, changes=PHASE)),
    "two echoes": pair(T1, T1.with_(key="e2", te=35.0, changes={**ACQUIRED_SECOND, "EchoNumbers": 2})),
    "a derived map": pair(
        T1, T1.with_(key="map", changes={**ACQUIRED_SECOND, "ImageType": ["DERIVED", "PRIMARY", "M", "ND"]})
    ),
    "a map of another name": pair(T1, T1.with_(key="map", description="T1w_ADC", changes=ACQUIRED_SECOND)),
    "a part without a SeriesNumber": pair(T1, T1.with_(number=None, changes=ACQUIRED_SECOND)),
    "no part with a SeriesNumber": pair(T1.with_(number=None), T1.with_(number=None, key="b", changes=ACQUIRED_SECOND)),
    "a part without geometry": pair(T1, T1.with_(key="b", changes={**ACQUIRED_SECOND, "ImagePositionPatient": None})),
    "another orientation": pair(
        T1, T1.with_(key="b", changes={**ACQUIRED_SECOND, "ImageOrientationPatient": [1, 0, 0, 0, 0, -1]})
    ),
    "another phase encoding direction": pair(
        T1.with_(changes={"InPlanePhaseEncodingDirection": "ROW"}),
        T1.with_(key="b", changes={**ACQUIRED_SECOND, "InPlanePhaseEncodingDirection": "COL"}),
    ),
    "magnetization transfer on and off": pair(T1, T1.with_(key="mt", changes={**ACQUIRED_SECOND, "ScanOptions": "MT"})),
    "another inversion time": pair(
        T1.with_(changes={"InversionTime": 100}), T1.with_(key="b", changes={**ACQUIRED_SECOND, "InversionTime": 400})
    ),
    "another repetition time": pair(T1, T1.with_(key="b", tr=2300.0, changes=ACQUIRED_SECOND)),
    "a T1 repeated an hour later": pair(T1, T1.with_(key="again", time="111500", changes=ACQUIRED_SECOND)),
    "a morning and an afternoon visit in one frame of reference": pair(
        T1.with_(time="0801", changes={"FrameOfReferenceUID": uid("f")}),
        T1.with_(study="2", time="1701", changes={"FrameOfReferenceUID": uid("f"), **ACQUIRED_SECOND}),
    ),
    "reconstructions of Canon": pair(
        T1.with_(number=7001, vendor=Vendor.CANON),
        T1.with_(number=7002, vendor=Vendor.CANON, changes=ACQUIRED_SECOND),
    ),
    "another scanner": pair(T1, T1.with_(key="b", changes={**ACQUIRED_SECOND, "Manufacturer": "ACME"})),
}


@pytest.mark.parametrize("case", APART)
def test_different_scans_are_kept_separate(study: Study, case: str) -> None:
    files = imported(study, APART[case])
    assert len(files) > 1
    assert noted(Judge(study.session("S1")).rows) == []
    assert files == imported_again(study, "--join-series=never")


def imported_again(study: Study, *options: str) -> dict[int, int]:
    (study.archive / "S1.zip").rename(study.inbox / "S1.zip")
    successful(study.main("--overwrite=yes", *options))
    return numbers(study)


def test_two_patients_are_kept_separate(study: Study) -> None:
    other = RUN.with_(patient="P002")
    study.put("S1", {**by_volume(RUN, "a"), **by_volume(other, "b")})
    successful(study.main("--on-mixed=merge"))
    assert sorted(numbers(study).values()) == [12, 12]
    study.put("S2", {**by_volume(RUN, "a"), **by_volume(other, "b")})
    successful(study.main("--on-mixed=split"))
    assert [numbers(study, f"S2-{k}") for k in (1, 2)] == [{50: 12}, {50: 12}]


def test_enhanced_multi_frame_parts_are_kept_separate(study: Study) -> None:
    tree = {f"IM{k}": encoded(enhanced(T1.with_(key=str(k)), {"AcquisitionNumber": k})) for k in (1, 2)}
    assert len(imported(study, tree)) == 2
