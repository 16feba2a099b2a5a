"""Series without SeriesInstanceUID have the same numbers in each import of their files."""

import json

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import under
from tests.build.study import Study, run_main


@pytest.mark.parametrize("study_uid", ["s0", "s1", "s2", "s3"])
def test_series_without_uid_have_the_same_numbers_when_a_session_is_rebuilt(study_uid: str, study: Study) -> None:
    no_uid = MrSeries(study=study_uid, changes={"SeriesInstanceUID": None})
    study.put("S1", under("b", no_uid.files()) | under("a", no_uid.with_(te=40.0, key="a").files()))
    study.main()
    session = study.session("S1")

    def echo_times() -> list[float]:
        sidecars = (session / "nii" / f"{n}.json" for n in (31, 100031))
        return [json.loads(path.read_text(encoding="utf-8"))["EchoTime"] for path in sidecars]

    times = echo_times()
    assert sorted(times) == [0.03, 0.04]
    for words in (["convert", str(session)], [str(study.sessions), "--masterinbox=none", "--sessions=S1"]):
        assert run_main(*words, "--overwrite=yes").status == 0
        assert echo_times() == times
