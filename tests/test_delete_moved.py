"""The warning about a packet that --archive=delete may not delete."""

from tests.build.dicom import MrSeries
from tests.build.packets import Kind
from tests.build.study import Study


def test_the_warning_is_true_if_the_packet_cannot_be_moved(study: Study) -> None:
    packet = study.put("S1", MrSeries().files(), Kind.TAR)
    packet.write_bytes(packet.read_bytes() + b"bytes after the end")
    (study.sessions / "archive").write_text("a file")
    run = study.main("--archive=delete")
    text = " ".join(run.text.split())
    assert "may not be deleted, since it has bytes that are not part of any member" in text
    assert "could not be archived (move)" in text
    assert "was moved" not in text
    assert packet.exists()
