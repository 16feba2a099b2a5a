"""A study with three imported sessions, whose files of the study level are tested."""

from tests.build.dicom import MrSeries
from tests.build.study import Study

T1, REST = MrSeries(number=3, description="T1w"), MrSeries(number=4, description="rest", volumes=4)


def with_three_sessions(study: Study) -> Study:
    """Import the sessions S1, S2 and S3; return the study."""
    for name in ("S1", "S2", "S3"):
        study.put(name, {f"{each.number}/{file}": data for each in (T1, REST) for file, data in each.files().items()})
    assert study.main().status == 0
    return study
