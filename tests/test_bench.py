"""The benchmark copies files correctly, compares within a round, and reports what it measured."""

import io
from pathlib import Path

import pydicom
import pytest
from bench.bench import OURS, Bench, Figure, Figures, Target
from bench.measure import REST, Contender, Sample, interleaved, ratio
from bench.replicas import Replica

from bench import peers, report, sources, trees
from tests.build.dicom import MrSeries, Syntax


@pytest.mark.parametrize("syntax", [Syntax.EXPLICIT, Syntax.IMPLICIT])
def test_a_replica_differs_only_in_uids_and_numbers(syntax: Syntax, tmp_path: Path) -> None:
    (path,) = MrSeries(syntax=syntax, slices=1).write(tmp_path)
    uids = {"instance": "i", "series": "s", "study": "t"}
    data = Replica(path).copy(uids=uids, numbers={"series_number": 12345, "instance_number": 7})
    old, new = pydicom.dcmread(path), pydicom.dcmread(io.BytesIO(data))
    assert (new.SeriesNumber, new.InstanceNumber) == (12345, 7)
    assert new.file_meta.MediaStorageSOPInstanceUID == new.SOPInstanceUID
    assert new.SOPInstanceUID.is_valid
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
        assert new[keyword].value != old[keyword].value
        assert len(new[keyword].value) == len(old[keyword].value)
        new[keyword].value = old[keyword].value
    new.SeriesNumber, new.InstanceNumber = old.SeriesNumber, old.InstanceNumber
    assert new == old


def test_a_tree_of_short_series_has_the_requested_files_and_series(tmp_path: Path) -> None:
    tree = trees.short_series(tmp_path, sources.find(), classic=1, mosaic=2, files=160)
    headers = [pydicom.dcmread(path, stop_before_pixels=True) for path in sorted(tree.rglob("MR*"))]
    assert len({header.SOPInstanceUID for header in headers}) == len(headers) == 160
    assert {int(header.SeriesNumber) for header in headers} == {1, 2, 3}


def test_a_failed_build_leaves_no_tree(tmp_path: Path) -> None:
    def build(folder: Path) -> None:
        folder.mkdir()
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - the error of the build is raised
        trees.once(tmp_path / "tree", build)
    assert not (tmp_path / "tree").exists()
    assert trees.once(tmp_path / "tree", Path.mkdir).is_dir()


def test_a_ratio_is_computed_within_each_round() -> None:
    own_samples = [Sample(1, 1, 1), Sample(2, 2, 1), Sample(4, 4, 1)]
    peer_samples = [Sample(3, 1, 1), Sample(4, 1, 1), Sample(4, 1, 1)]
    measured = ratio(peer_samples, own_samples, "wall")
    assert (measured.median, measured.low, measured.high) == (2, 1, 3)


def test_the_report_says_which_targets_are_met_and_which_peers_are_missing(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    found_peers = {**peers.find(), "gdcm": peers.Peer("gdcm", None)}
    bench = Bench(tmp_path, tmp_path / "scratch", sources.find(), found_peers, rounds=2)
    contenders = [
        Contender(OURS, lambda folder: ["touch", folder / "a"]),
        Contender("slow", lambda _: ["sleep", "0.2"]),
    ]
    targets = [Target("slow", "wall", 1.5), Target("slow", "wall", 1e6), Target("absent", "cpu", 2)]
    row = bench.measure("Work", "one file", contenders, targets)
    assert [row.met(target) for target in targets] == [True, False, None]
    report.write(tmp_path / "performance.md", bench, [row])
    text = (tmp_path / "performance.md").read_text()
    assert "gdcm: absent" in text
    assert "| yes; no |" in text
    other_row = Figures("Calls", "ten files", (Figure("ours", 3, 2),))
    report.write(tmp_path / "performance.md", bench, [other_row])
    new_row = Figures("Work", "two files", (Figure("ours", 4, 5),))
    report.write(tmp_path / "performance.md", bench, [new_row])
    text = (tmp_path / "performance.md").read_text()
    assert [line for line in text.splitlines() if line.startswith("### ")] == ["### Work", "### Calls"]
    assert "two files" in text
    assert "| yes; no |" not in text, "a new measurement replaces the old row"


def test_only_a_figure_with_a_limit_has_a_verdict() -> None:
    row = Figures("Calls", "ten files", (Figure("ours", 3, 2), Figure("theirs", 5)))
    assert report.part(row)[-4:-2] == ["| ours | 3 | at most 2 | no |", "| theirs | 5 |  |  |"]
    assert report.missed(row) == ["Calls: ours at most 2"]


def test_a_contender_that_fails_raises_an_error(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    bench = Bench(tmp_path, tmp_path / "scratch", sources.find(), {}, rounds=1)
    with pytest.raises(RuntimeError, match="exit 3"):
        bench.measure("Work", "", [Contender(OURS, lambda _: ["sh", "-c", "exit 3"])])


def test_a_pause_follows_a_contender_that_removes_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("bench.measure.time.sleep", pauses.append)
    contenders = [
        Contender("removes", lambda _: ["true"], removes=True),
        Contender("first after it", lambda _: ["true"]),
    ]
    interleaved(contenders, 1, tmp_path)
    long_pauses = [seconds for seconds in pauses if seconds > REST - 5]
    assert pauses[0] == 0
    assert len(long_pauses) >= 2, "the next contender of each round waits"
