"""`qxbatch doctor` lists what is installed and what is missing, as a table and as JSON."""

import json
from pathlib import Path

import pytest

from qxbatch.commands import doctor
from qxbatch.convert import dcm2nii, dcm2niix, dicm2nii
from qxbatch.exits import ExitStatus


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Hide converters outside of Python packages; return the only folder on PATH."""
    for variable in (dcm2nii.VARIABLE, dcm2niix.VARIABLE, dicm2nii.VARIABLE, dicm2nii.MATLAB_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(dicm2nii, "_DEFAULT_FOLDER", tmp_path / "nowhere")
    return tmp_path


def test_the_json_has_every_finding(capsys: pytest.CaptureFixture[str]) -> None:
    status = doctor.run({"--json": True})
    document = json.loads(capsys.readouterr().out)
    findings = {finding["name"]: finding for finding in document["findings"]}
    packages, converters = ["pydicom", "docopt-ng", "jinja2", "rich"], ["dcm2niix", "nibabel", "dicm2nii", "dcm2nii"]
    assert list(findings) == ["qxbatch core", *packages, *converters, "bidsschematools", "bids-validator-deno"]
    assert findings["dcm2niix"]["found"]
    assert findings["dcm2niix"]["version"].startswith("1.0.")
    assert Path(findings["dcm2niix"]["where"]).is_file()
    assert not findings["dicm2nii"]["found"]
    assert "--dicm2nii-dir" in findings["dicm2nii"]["where"]
    assert findings["dcm2nii"]["advice"]
    assert status == (ExitStatus.OK if findings["qxbatch core"]["found"] else ExitStatus.UNAVAILABLE)


def test_the_table_has_a_line_for_each_finding_and_advice(capsys: pytest.CaptureFixture[str]) -> None:
    doctor.run({})
    out = capsys.readouterr().out
    assert len([line for line in out.splitlines() if line.startswith(("ok", "MISSING", "absent"))]) == 11
    assert "github.com/xiangruili/dicm2nii" in out


def test_a_missing_default_converter_gives_status_69(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dcm2niix, "candidates", list)
    assert doctor.run({}) == ExitStatus.UNAVAILABLE
    lines = capsys.readouterr().out.splitlines()
    assert next(line for line in lines if "dcm2niix" in line).startswith("MISSING")
    assert lines[-1] == "Not ready: missing dcm2niix (DICOM and PAR/REC (the default))."


def test_the_last_line_names_the_formats_that_can_be_imported(capsys: pytest.CaptureFixture[str]) -> None:
    doctor.run({})
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("Ready to import DICOM and PAR/REC; missing, and not needed by default: dicm2nii (")
    assert "; dcm2nii (" in last


def test_dicm2nii_is_found_in_the_folder_of_the_option(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = bare / "code"
    code.mkdir()
    (code / "dicm2nii.m").write_text("")
    octave = bare / "octave-cli"
    octave.write_text("#!/bin/sh\n")
    octave.chmod(0o755)
    doctor.run({"--json": True, "--dicm2nii-dir": str(code)})
    findings = {finding["name"]: finding for finding in json.loads(capsys.readouterr().out)["findings"]}
    assert findings["dicm2nii"]["found"]
    assert findings["dicm2nii"]["where"] == f"{code} under {octave}"


def test_packages_missing_for_bids_are_named_with_the_install_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    version = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: "" if name == "bids-validator-deno" else version(name))
    assert doctor.run({}) == ExitStatus.OK
    out = capsys.readouterr().out
    assert "pip install 'qxbatch[bids]'" in out
    assert "bids-validator-deno (`qxbatch bids --validate`)" in out.splitlines()[-1]
