"""An output is compared with the folders of a study that is named by a link."""

from pathlib import Path

import pytest

from qxbatch.problems import UsageError
from qxbatch.report.output_files import StudyPaths, check_output_files


@pytest.mark.parametrize(
    "named_by", range(12)
)  # links with several names, since the fault depended on the hash of the path
def test_an_output_does_not_take_the_name_of_a_waiting_session_in_a_linked_study(tmp_path: Path, named_by: int) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "OP5.zip").write_bytes(b"x")
    link = tmp_path / f"link{named_by}"
    link.symlink_to("real")
    study = StudyPaths(link, tmp_path / "in", link / "archive" / "MR")
    for folder in (link, tmp_path / "real"):
        with pytest.raises(UsageError, match="the session folder of a packet that waits"):
            check_output_files({"--json-file": folder / "OP5"}, [study])
        check_output_files({"--json-file": folder / "OP6"}, [study])
