"""`qxbatch regress` on a lab's own sets: expectations, differences, output."""

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nibabel.nifti1 import Nifti1Image

from qxbatch.problems import UsageError
from qxbatch.regress.compare import differences, reference_differences
from qxbatch.regress.observe import image_values
from qxbatch.regress.sets import find_sets, write_expected
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under, write_packet
from tests.build.study import run_command, snapshot
from tests.regression.declared import EXPECTED, Declared, declared, variants
from tests.regression.forked import regress

BUILT_IN: dict[str, Any] = json.loads((EXPECTED / "built-in.json").read_text(encoding="utf-8"))
DWI = ("sessions", "OP102_baseline", "images", "121")


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """Return a folder with one set: two series in one zip."""
    tree = {**under("a", MrSeries().files()), **under("b", MrSeries(number=4, description="BOLD", volumes=2).files())}
    write_packet(tree, tmp_path / "sets" / "phantom" / "packets", "P1", Kind.ZIP)
    return tmp_path / "sets"


def changed(change: Callable[[dict[str, Any]], None]) -> list[str]:
    """Return the differences after one change of the built-in expectation."""
    other = copy.deepcopy(BUILT_IN)
    change(other)
    return list(differences(other, BUILT_IN))


def image(expectation: dict[str, Any]) -> dict[str, Any]:
    """Return the diffusion image of an expectation."""
    for key in DWI:
        expectation = expectation[key]
    return expectation


def test_an_expectation_equals_itself() -> None:
    assert changed(lambda _: None) == []


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda found: image(found).update(voxels="0" * 64), "images.121.voxels"),
        (lambda found: image(found).update(name="other"), "images.121.name"),
        (lambda found: image(found)["shape"].__setitem__(2, 47), "images.121.shape[2]"),
        (lambda found: image(found)["affine"][0].__setitem__(3, image(found)["affine"][0][3] + 2e-4), "affine[0][3]"),
        (lambda found: image(found)["bval"][0].__setitem__(1, 999.0), "images.121.bval[0][1]"),
        (lambda found: image(found)["json"].pop("EchoTime"), "images.121.json.EchoTime"),
        (lambda found: found["sessions"]["OP102_baseline"]["series"]["120"].update(files=3), "series.120.files"),
        (lambda found: found["sessions"]["OP102_baseline"]["session_txt"].append("1 : x"), "session_txt["),
        (lambda found: found["sessions"]["OP103"]["ledger"]["counts"].update({"other kept": 2}), "counts.other kept"),
        (lambda found: found["sessions"].pop("OP104"), "sessions.OP104"),
        (lambda found: found.update(status=1), "status"),
    ],
)
def test_one_change_is_one_difference_at_its_place(change: Callable[[dict[str, Any]], None], place: str) -> None:
    (line,) = changed(change)
    assert place in line


def test_positions_may_differ_by_less_than_a_ten_thousandth_of_a_millimetre() -> None:
    assert changed(lambda found: image(found)["affine"][0].__setitem__(3, image(found)["affine"][0][3] + 5e-5)) == []


def test_a_set_without_an_expectation_fails_until_one_is_written(sets: Path) -> None:
    before = snapshot(sets / "phantom" / "packets")
    assert regress(sets).status == 66, "nothing to compare with"
    assert not (sets / "phantom" / "expected.json").exists()
    assert run_command("regress", str(sets), "--update").status == 0
    again = run_command("regress", str(sets))
    assert (again.status, again.out.splitlines()[-1]) == (0, "1 of 1 set is as expected.")
    assert snapshot(sets / "phantom" / "packets") == before, "the packets are unchanged"


def test_a_difference_is_shown_and_exits_1(sets: Path) -> None:
    regress(sets, "--update")
    path = sets / "phantom" / "expected.json"
    path.write_text(path.read_text().replace('"name": "BOLD"', '"name": "REST"'))
    run = regress(sets / "phantom")
    assert run.status == 1
    assert "phantom: 1 difference\n" in run.out
    assert "sessions.P1.images.41.name: expected 'REST', found 'BOLD'" in run.out
    report = json.loads(regress(sets, "--json").out)
    assert [one["name"] for one in report["sets"]] == ["phantom"]


def test_the_options_of_a_set_are_used(sets: Path) -> None:
    (sets / "phantom" / "options.toml").write_text('add_json_info = "all"\narchive = "leave"\n')
    regress(sets, "--update")
    expected = json.loads((sets / "phantom" / "expected.json").read_text())
    assert (expected["archived"], expected["waiting"]) == ([], ["P1.zip"])
    assert any("TR(2)" in line for line in expected["sessions"]["P1"]["session_txt"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        ("[", "is not JSON"),
        ("[]", "is not an expectation"),
        pytest.param("[" * 100_000, "is not an expectation", id="nested"),
    ],
)
def test_an_expectation_that_cannot_be_used_is_a_usage_error(sets: Path, content: str | None, message: str) -> None:
    path = sets / "phantom" / "expected.json"
    if content is None:
        path.mkdir()
    else:
        path.write_text(content)
    run = regress(sets)
    assert run.status == 64
    assert message in run.err


def test_a_wrong_folder_is_a_usage_error(tmp_path: Path) -> None:
    assert regress(tmp_path / "absent").status == 64
    assert regress(tmp_path).status == 66, "a folder without sets"


def test_reference_images_must_be_among_the_results(tmp_path: Path) -> None:
    series = MrSeries()
    ours = Nifti1Image(series.volume(), None)
    ours.to_filename(tmp_path / "same.nii")
    Nifti1Image(series.volume() + 1, None).to_filename(tmp_path / "other.nii")
    found = {"sessions": {"S": {"images": {"31": {"name": "x", **image_values(tmp_path / "same.nii")}}}}}
    (line,) = reference_differences(tmp_path, found, {})
    assert line == "reference other.nii: no image equals it (1 of its shape)"
    assert list(reference_differences(tmp_path, found, {"other.nii": "made so"})) == []
    (line,) = reference_differences(tmp_path, found, {"other.nii": "", "same.nii": "no longer"})
    assert "same.nii: equals an image now" in line


def test_every_declared_set_has_an_expectation_and_every_expectation_a_set() -> None:
    names = {one.name for one in (*declared(), *variants())} | {"built-in"}
    assert {path.stem for path in EXPECTED.glob("*.json")} == names


@pytest.mark.parametrize("one", declared(), ids=lambda one: one.name)
def test_every_declared_set_is_in_the_fetch_list_and_in_the_review(one: Declared) -> None:
    row = f"| {one.name} | {one.source} | `{one.commit}` | {one.licence.partition(' (')[0]} |"
    assert row in (EXPECTED.parents[2] / "docs" / "regression.md").read_text(encoding="utf-8")
    assert f"| {one.name} |" in (EXPECTED.parent / "REVIEW.md").read_text(encoding="utf-8")


def test_a_set_takes_no_packets_from_an_inbox_that_its_options_name(sets: Path, tmp_path: Path) -> None:
    inbox = tmp_path / "study" / "inbox"
    write_packet(under("a", MrSeries().files()), inbox, "P2", Kind.ZIP)
    (sets / "phantom" / "options.toml").write_text(f'masterinbox = "{inbox}"\n')
    before = snapshot(inbox)
    run = regress(sets, "--update")
    assert snapshot(inbox) == before, run.text
    expected = json.loads((sets / "phantom" / "expected.json").read_text())
    assert [*expected["sessions"]] == ["P1"]


def test_a_link_to_an_expectation_that_is_not_here_is_kept(sets: Path) -> None:
    link = sets / "phantom" / "expected.json"
    link.symlink_to("../.git/annex/objects/x")
    run = regress(sets, "--update")
    assert run.status == 64
    assert "is a link to a file that is not here" in run.text
    assert link.is_symlink()


def test_a_packet_with_a_file_called_packets_is_one_set(tmp_path: Path) -> None:
    write_packet({"packets": b"notes", **MrSeries().files()}, tmp_path, "P1", Kind.FOLDER)
    assert [(each.packets_folder, each.only_packet) for each in find_sets(tmp_path)] == [(tmp_path, "P1")]


def test_another_file_that_appears_during_the_import_is_kept(sets: Path) -> None:
    [regression_set] = find_sets(sets)
    path = regression_set.expected_file
    path.write_text('{"title": "scanner log"}')
    with pytest.raises(UsageError, match="is not an expectation"):
        write_expected(path, BUILT_IN)
    assert path.read_text() == '{"title": "scanner log"}'


def test_an_expectation_of_another_form_is_refused(sets: Path) -> None:
    (sets / "phantom" / "expected.json").write_text('{"reference_differs": 5}')
    run = regress(sets)
    assert run.status == 64
    assert "is not an expectation" in run.text


@pytest.mark.parametrize(
    "line",
    [
        "scheduler = 'SLURM'",
        "container = 'image.sif'",
        "wait = true",
        "print-script = true",
        "log_file = '{outside}/log'",
        "work_dir = '{outside}'",
        "test = true",
        "check = 'yes'",
    ],
)
def test_options_that_reach_out_of_a_set_or_import_nothing_are_refused(sets: Path, tmp_path: Path, line: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (sets / "phantom" / "options.toml").write_text(line.format(outside=outside))
    run = regress(sets, "--update")
    assert run.status == 64, run.text
    name = line.partition(" ")[0].replace("-", "_")
    assert f"has parameters that a regression set cannot have: {name}." in " ".join(run.err.split())
    assert list(outside.iterdir()) == []
    assert not (sets / "phantom" / "expected.json").exists()


def test_a_relative_link_to_a_packet_outside_of_the_set_is_imported(sets: Path) -> None:
    packets = sets / "phantom" / "packets"
    (sets / "store").mkdir()
    (packets / "P1.zip").rename(sets / "store" / "key")
    (packets / "P1.zip").symlink_to("../../store/key")
    assert regress(sets, "--update").status == 0
    expected = json.loads((sets / "phantom" / "expected.json").read_text())
    assert ([*expected["sessions"]], expected["found"]) == (["P1"], {"P1.zip": "ready"})
    assert (packets / "P1.zip").is_symlink()
    (sets / "store" / "key").unlink()
    (sets / "phantom" / "expected.json").unlink()
    run = regress(sets, "--update")
    assert run.status == 1
    assert "P1.zip is a link to a file that is not here" in " ".join(run.text.split())
    assert not (sets / "phantom" / "expected.json").exists()


@pytest.mark.parametrize("text", ["..", "../../a"])
def test_a_link_to_a_folder_that_contains_it_is_a_difference(sets: Path, text: str) -> None:
    (sets / "a").mkdir()
    (sets / "a" / "back").symlink_to("../phantom/packets")
    (sets / "phantom" / "packets" / "P2").symlink_to(text)
    run = regress(sets, "--update")
    assert run.status == 1
    assert "is a link to a folder that contains it" in " ".join(run.text.split())
    assert not (sets / "phantom" / "expected.json").exists()


@pytest.mark.parametrize("damage", ["junk", "cut", "absent", "FIFO", "device"])
def test_a_reference_image_that_cannot_be_read_is_a_difference(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "a.nii.gz"
    if damage == "absent":
        path.symlink_to("../.git/annex/objects/x")
    elif damage == "FIFO":
        os.mkfifo(path)
    elif damage == "device":
        path.symlink_to("/dev/zero")
    else:
        Nifti1Image(MrSeries().volume(), None).to_filename(path)
        path.write_bytes(path.read_bytes()[:100] if damage == "cut" else b"junk")
    (line,) = reference_differences(tmp_path, {"sessions": {}}, {})
    assert line.startswith("reference a.nii.gz: ")
    assert "cannot be read" in line


@pytest.mark.parametrize("place", ["device", "FIFO"])
def test_a_special_file_is_a_difference_and_is_not_copied(sets: Path, place: str) -> None:
    path = sets / "phantom" / "packets" / "P2"
    if place == "FIFO":
        os.mkfifo(path)
    else:
        path.symlink_to(os.path.relpath("/dev/zero", path.parent))
    run = regress(sets, "--update")
    assert run.status == 1
    assert "is neither a file, a folder nor a link" in " ".join(run.text.split())
    assert not (sets / "phantom" / "expected.json").exists()
