"""The target `full`: dicm2nii with Octave, and a legacy dcm2nii, if they were given to the build."""

import json
import os

import pytest

from tests.containers.conftest import Case
from tests.containers.container import LOCKED, Image
from tests.endtoend.judge import Judge

pytestmark = pytest.mark.skipif(
    "QXBATCH_FULL" not in os.environ,
    reason="QXBATCH_FULL is not set: scripts/image-test --all builds an image of the target full",
)
GIVEN = os.environ.get("QXBATCH_FULL") == "with"
"""Whether external converters were given to the build."""


@pytest.fixture
def findings(image: Image) -> dict[str, dict[str, object]]:
    """Return the findings of `qxbatch doctor` in the image."""
    run = image.run("doctor", "--json", options=[*LOCKED])
    return {each["name"]: each for each in json.loads(run.out)["findings"]}


def test_the_given_converters_are_found(findings: dict[str, dict[str, object]]) -> None:
    assert findings["dicm2nii"]["found"] is GIVEN
    assert findings["dcm2nii"]["found"] is GIVEN


def test_octave_is_in_the_image(image: Image) -> None:
    run = image.inside("octave-cli", "--version", options=[*LOCKED, "--tmpfs=/tmp"])
    assert "GNU Octave" in run.out, run.text


def test_dicm2nii_imports_for_an_unknown_user(image: Image, case: Case) -> None:
    run = image.run(
        "/data",
        "/out",
        "participant",
        "--tool=dicm2nii",
        f"--path-map=/out={case.out}",
        options=[*LOCKED, *case.as_user],
        mounts=case.mounts,
    )
    if not GIVEN:
        assert run.status == 69, run.text
        assert case.sessions() == []
        return
    assert run.status == 0, run.text
    assert case.sessions() == ["OP1", "OP2"]
    assert case.owners() == {(case.user, case.user)}
    assert Judge(case.out / "OP1").summary["series"][0]["tool"].startswith("dicm2nii ")
