"""Files of sessions that change: none is exported, or counts as exported, by the hash of other bytes."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from qxbatch.bids.files import export_cache
from qxbatch.bids.files.file_hash import file_hash
from qxbatch.bids.files.record import RECORD
from qxbatch.bids.write import placing
from tests.build.bids_study import T1, BidsStudy

IMAGE = Path("S1/nii/21.nii.gz")
SECOND = 1_000_000_000


@pytest.fixture
def study(tmp_path: Path) -> BidsStudy:
    """Return a study whose summary has the hash of the image, which is older than the summary."""
    study = BidsStudy(tmp_path)
    study.add("S1")
    path = study.sessions / IMAGE
    change_summary(study, {"size": path.stat().st_size, "sha256": file_hash(path)})
    set_age(path, 10)
    return study


def change_summary(study: BidsStudy, checksum: dict[str, Any] | None = None) -> None:
    """Write the summary again, with another checksum of the image if one is given."""
    path = study.sessions / "S1/qxbatch/summary.json"
    content = json.loads(path.read_text())
    if checksum:
        image = next(image for image in content["images"] if image["number"] == 21)
        image["sums"] = {"nii/21.nii.gz": checksum}
    path.write_text(json.dumps(content))


def set_age(path: Path, seconds: int) -> None:
    """Set the modification time of a file to some seconds before now."""
    time_ns = path.stat().st_ctime_ns - seconds * SECOND
    os.utime(path, ns=(time_ns, time_ns))


def edit(path: Path) -> bytes:
    """Change the last byte of a file, and return its new content."""
    content = path.read_bytes()
    changed = content[:-1] + bytes([content[-1] ^ 1])
    path.write_bytes(changed)
    return changed


@pytest.mark.parametrize("has_cache", [True, False], ids=["cache", "no cache"])
@pytest.mark.parametrize("way", ["summary written later", "older time"])
@pytest.mark.parametrize("link", ["copy", "hard"])
def test_an_edited_image_is_exported_whatever_the_times_of_it_and_its_summary_are(
    study: BidsStudy, way: str, link: str, *, has_cache: bool
) -> None:
    assert study.run(f"--link={link}").status == 0
    path = study.sessions / IMAGE
    new = path.with_name("new")
    shutil.copy(path, new)
    edited = edit(new)
    new.replace(path)
    change_summary(study)
    if way == "older time":
        set_age(path, 100)
    if not has_cache:
        shutil.rmtree(study.sessions / ".qxbatch/bids")
    run = study.run(f"--link={link}")
    assert (study.bids / f"{T1}.nii.gz").read_bytes() == edited
    assert "changed since its import" in " ".join(run.out.split())


@pytest.mark.parametrize("link", ["copy", "hard"])
def test_an_unchanged_second_export_reads_no_image(
    study: BidsStudy, monkeypatch: pytest.MonkeyPatch, link: str
) -> None:
    assert study.run(f"--link={link}").status == 0
    read: list[Path] = []

    def noted_hash(path: Path) -> str:
        read.append(path)
        return file_hash(path)

    monkeypatch.setattr(export_cache, "file_hash", noted_hash)
    assert "0 added" in " ".join(study.run(f"--link={link}").out.split())
    assert read == []


@pytest.mark.parametrize("link", ["copy", "auto", "hard"])
def test_a_damaged_image_is_not_placed_by_its_old_hash(
    study: BidsStudy, monkeypatch: pytest.MonkeyPatch, link: str
) -> None:
    def reflink(source: Path, target: Path, *, required: bool) -> bool:  # noqa: ARG001 - as that of placing.py
        shutil.copyfile(source, target)
        return True

    monkeypatch.setattr(placing, "_reflink", reflink)
    path = study.sessions / IMAGE
    good = path.read_bytes()
    edit(path)
    set_age(path, 10)
    run = study.run(f"--link={link}")
    assert run.status == 1
    assert "differs from its summary" in " ".join(run.out.split())
    assert not (study.bids / f"{T1}.nii.gz").exists()
    path.write_bytes(good)
    assert study.run(f"--link={link}").status == 0
    assert (study.bids / f"{T1}.nii.gz").read_bytes() == good


def test_an_edit_through_a_hard_link_after_its_comparison_is_noticed(
    study: BidsStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare = placing._compare

    def compare_then_edit(source: Any, target: Path) -> None:
        compare(source, target)
        if source.path.name == "21.nii.gz":
            edit(source.path)

    monkeypatch.setattr(placing, "_compare", compare_then_edit)
    assert study.run("--link=hard").status == 0
    monkeypatch.setattr(placing, "_compare", compare)
    run = study.run("--link=hard")
    assert "changed since its import" in " ".join(run.out.split())
    files = json.loads((study.bids / RECORD).read_text())["files"]
    (recorded,) = (file["sha256"] for file in files if file["path"] == f"{T1}.nii.gz")
    assert recorded == file_hash(study.bids / f"{T1}.nii.gz")
