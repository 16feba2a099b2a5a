"""The SBOM and the licences of the crates are up to date with Cargo.lock."""

import json
import shutil
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

from tests.sbom import faults

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def licences() -> ModuleType:
    """The module scripts/licences."""
    loader = SourceFileLoader("licences", str(REPOSITORY / "scripts" / "licences"))
    spec = spec_from_loader("licences", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_sbom_and_licence_texts_are_up_to_date(licences: ModuleType) -> None:
    if shutil.which("cargo") is None:
        pytest.skip("cargo, which lists the crates, is not on PATH")
    packages = licences.crates()
    version = json.loads(licences.SBOM.read_text())["metadata"]["component"]["version"]
    assert licences.SBOM.read_text(encoding="utf-8") == licences.sbom(packages, version), "run scripts/licences"
    assert licences.TEXTS.read_text(encoding="utf-8") == licences.texts(packages), "run scripts/licences"


def test_the_sbom_is_valid(licences: ModuleType) -> None:
    assert faults(licences.SBOM.read_text(encoding="utf-8")) == ""


def test_every_crate_of_the_sbom_has_a_licence_and_its_text(licences: ModuleType) -> None:
    components = json.loads(licences.SBOM.read_text())["components"]
    text = licences.TEXTS.read_text(encoding="utf-8")
    assert len(components) > 40
    assert [each["name"] for each in components if not each["licenses"][0]["expression"]] == []
    assert [each["name"] for each in components if f"\n{each['name']} {each['version']} (" not in text] == []
    assert "has no file of its licence" not in text


def test_build_and_test_dependencies_are_not_in_the_sbom(licences: ModuleType) -> None:
    names = {each["name"] for each in json.loads(licences.SBOM.read_text())["components"]}
    assert {"pyo3", "zstd-sys", "rayon"} <= names
    assert not names & {"proptest", "criterion", "tempfile", "cc", "pyo3-build-config", "syn", "qxbatch-core"}


def test_a_text_of_several_crates_is_written_once(licences: ModuleType, tmp_path: Path) -> None:
    packages = []
    for name in ("a", "b"):
        (tmp_path / name / "inner").mkdir(parents=True)
        (tmp_path / name / "LICENSE-MIT").write_text("The text. \n")
        manifest = str(tmp_path / name / "Cargo.toml")
        packages.append({"name": name, "version": "1.0.0", "license": "MIT/Apache-2.0", "manifest_path": manifest})
    (tmp_path / "b" / "inner" / "COPYING").write_text("Of the C library.\n")
    text = licences.texts(packages)
    assert text.count("The text.") == 1
    assert "a 1.0.0 (MIT/Apache-2.0)\nb 1.0.0" in text
    assert "Of the C library." in text
    assert licences.expression("MIT/Apache-2.0") == "MIT OR Apache-2.0"
