"""Contents of the image: SBOM, licences, completions, man page and demo."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.containers.conftest import Case
from tests.containers.container import LOCKED, Image
from tests.sbom import faults

REPOSITORY = Path(__file__).resolve().parents[2]
DOC = "/usr/share/doc/qxbatch"
INSTALLED = "/opt/qxbatch/share"


@pytest.fixture(scope="module")
def sbom(image: Image) -> dict[str, Any]:
    """The SBOM of the image."""
    content: dict[str, Any] = json.loads(image.inside("cat", f"{DOC}/sbom.cdx.json").out)
    return content


def test_the_sbom_is_valid(image: Image) -> None:
    assert faults(image.inside("cat", f"{DOC}/sbom.cdx.json").out) == ""


def test_the_sbom_has_every_package(image: Image, sbom: dict[str, Any]) -> None:
    purls = {each["purl"].partition("?")[0] for each in sbom["components"] if "purl" in each}
    packages = image.inside("dpkg-query", "--show", "--showformat=${Package}\t${Version}\n").out.splitlines()
    names = [each.split("\t") for each in packages]
    assert {f"pkg:deb/debian/{quote(name, safe='')}@{quote(version, safe=':')}" for name, version in names} <= purls
    locked = re.findall(r"(?m)^([\w.-]+)==(\S+)", (REPOSITORY / "containers" / "runtime.lock").read_text())
    assert {f"pkg:pypi/{name}@{version}" for name, version in locked} <= purls
    crates = json.loads((REPOSITORY / "rust" / "crates.cdx.json").read_text())["components"]
    assert {each["purl"] for each in crates} <= purls


def test_the_sbom_has_no_time_and_no_serial_number(sbom: dict[str, Any]) -> None:
    assert "serialNumber" not in sbom
    assert set(sbom["metadata"]) == {"component"}


def test_every_component_has_a_licence_whose_text_is_in_the_image(image: Image) -> None:
    rows = [line.split("\t") for line in image.inside("cat", f"{DOC}/licences.tsv").out.splitlines()]
    assert rows[0] == ["component", "version", "licence", "texts"]
    assert [row for row in rows[1:] if row[2] == "see the text" and not row[3]] == []
    texts = sorted({text for row in rows[1:] for text in row[3].split()})
    assert len(texts) > 60
    assert image.inside("ls", *texts, f"{DOC}/LICENSE").status == 0


def test_completions_and_man_page_equal_those_of_the_repository(image: Image) -> None:
    repository_files = REPOSITORY / "installed" / "data" / "share"
    for path in sorted(path for path in repository_files.rglob("*") if path.is_file()):
        name = path.relative_to(repository_files).as_posix()
        assert image.inside("cat", f"{INSTALLED}/{name}").out == path.read_text(encoding="utf-8"), name


def test_an_unknown_user_can_run_the_demo(image: Image, case: Case) -> None:
    run = image.run("demo", "/out/demo", options=[*LOCKED, *case.as_user], mounts=case.mounts)
    assert run.status == 0, run.text
    assert "4 of 4 sessions were written." in run.out
    assert sorted(path.parent.name for path in case.out.glob("demo/study/sessions/*/session.txt"))[0] == "OP101"
