"""The public sets as one BIDS data set: its files are those of the reviewed table, and other programs read them."""

import csv
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from qxbatch.bids.schema.image_path import ImagePath
from tests.build.study import Run, run_main
from tests.regression.bids_study import PATHS, RULES, shared_study
from tests.regression.declared import only_quick
from tests.test_bids_readers import has_validator

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(only_quick(), reason="QXBATCH_REGRESSION=quick: the study has all sets"),
]
SHORT_NAMES = {
    "subject": "sub",
    "session": "ses",
    "acquisition": "acq",
    "reconstruction": "rec",
    "direction": "dir",
    "task": "task",
    "run": "run",
    "echo": "echo",
    "part": "part",
    "inv": "inv",
}


class Exported:
    """The exported data set, and the run that wrote it."""

    def __init__(self, folder: Path, sessions: Path) -> None:
        self.bids, self.sessions = folder / "bids", sessions
        self.first_run = self.run()

    def run(self, *words: str) -> Run:
        """Export the study; return the run."""
        return run_main("bids", str(self.sessions), str(self.bids), f"--rules={RULES}", "--intended-for=path", *words)


@pytest.fixture(scope="module")
def exported(data: Path) -> Iterator[Exported]:
    with TemporaryDirectory(prefix="qxbatch-bids-") as folder:
        yield Exported(Path(folder), shared_study(data).sessions)


def expected() -> list[str]:
    """Return the paths of the reviewed table."""
    with PATHS.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, dialect="excel-tab")
        return sorted(row["path"] for row in rows if row["path"] != "ignore")


def test_every_image_is_where_the_table_says(exported: Exported) -> None:
    assert exported.first_run.status == 0, exported.first_run.text
    images = exported.bids.glob("sub-*/**/*.nii.gz")
    found = sorted(path.relative_to(exported.bids).as_posix().removesuffix(".nii.gz") for path in images)
    assert found == [path.removesuffix(".nii.gz") for path in expected()]


@pytest.mark.skipif(not has_validator(), reason="bids-validator-deno is not installed")
def test_the_official_validator_finds_no_error(exported: Exported) -> None:
    value = json.loads(exported.run("--validate", "--json").out)
    assert value["validation"]["errors"] == []
    assert value["files"]["add"] == value["files"]["replace"] == value["files"]["remove"] == 0


@pytest.mark.skipif(importlib.util.find_spec("bids") is None, reason="pybids is not installed")
@pytest.mark.filterwarnings("ignore")
def test_pybids_finds_each_image_with_its_entities_and_each_field_map_with_its_targets(exported: Exported) -> None:
    from bids import BIDSLayout

    layout = BIDSLayout(exported.bids)
    files = {Path(each.path).relative_to(exported.bids).as_posix(): each for each in layout.get(extension=".nii.gz")}
    paths = [f"{path.removesuffix('.nii.gz')}.nii.gz" for path in expected()]
    assert sorted(files) == sorted(paths)
    for path in paths:
        name = ImagePath.of(path.removesuffix(".nii.gz"))
        entities = files[path].get_entities()
        assert {short: str(entities[long]) for long, short in SHORT_NAMES.items() if long in entities} == {
            key: str(int(value)) if key in ("run", "echo", "inv") else value
            for key, value in name.entities.items()
            if key in SHORT_NAMES.values()
        }
        assert (entities["datatype"], entities["suffix"]) == (name.datatype, name.suffix)
    served = {path: intended(layout, exported.bids, path) for path in paths if "/fmap/" in path}
    assert served == {path: targets_of(exported.bids, path) for path in paths if "/fmap/" in path}
    assert any(served.values())


def targets_of(bids: Path, fmap: str) -> set[str]:
    """Return the images that IntendedFor of a field map names."""
    sidecar: dict[str, Any] = json.loads((bids / fmap.replace(".nii.gz", ".json")).read_text(encoding="utf-8"))
    return {f"{fmap.split('/', 1)[0]}/{path}" for path in sidecar.get("IntendedFor", [])}


def intended(layout: Any, bids: Path, fmap: str) -> set[str]:
    """Return the images for which pybids finds this field map."""
    subject = ImagePath.of(fmap).entities["sub"]
    found = set()
    for image in layout.get(subject=subject, extension=".nii.gz"):
        for each in layout.get_fieldmap(image.path, return_list=True):
            files = {Path(value).relative_to(bids).as_posix() for key, value in each.items() if key != "suffix"}
            if fmap in files:
                found.add(Path(image.path).relative_to(bids).as_posix())
    return found


@pytest.mark.skipif(not has_validator(), reason="bids-validator-deno is not installed")
def test_the_proposed_rules_export_as_they_are_without_an_error(exported: Exported, disk_path: Path) -> None:
    folders = [str(exported.sessions), str(disk_path / "bids")]
    assert run_main("bids", *folders, f"--init={disk_path / 'rules.toml'}").status == 0
    done = run_main("bids", *folders, f"--rules={disk_path / 'rules.toml'}", "--validate", "--json")
    assert json.loads(done.out)["validation"]["errors"] == []
    assert done.status == 0
