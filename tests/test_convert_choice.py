"""A converter is chosen for each series, and a missing converter is reported."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from qxbatch.convert import dcm2nii, dcm2niix, dicm2nii, nibabel_converter
from qxbatch.convert.available import converter_for, converter_probes, find_converters
from qxbatch.convert.converter import ConverterJob
from qxbatch.convert.naming import numbered_outputs, suffix_of
from qxbatch.exits import ExitStatus
from qxbatch.model import Series, SeriesKind
from qxbatch.problems import UsageError
from qxbatch.settings.model import Tool


@dataclass(frozen=True)
class ConverterSettings:
    """The settings that the choice depends on."""

    tool: Tool = Tool.AUTO
    fallback: Tool | None = None
    dicm2nii_dir: Path | None = None


@pytest.fixture(autouse=True)
def empty_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Hide the converters of this machine except those of Python packages; return an empty folder that is the PATH."""
    for variable in (dcm2nii.VARIABLE, dcm2niix.VARIABLE, dicm2nii.VARIABLE, dicm2nii.MATLAB_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(dicm2nii, "_DEFAULT_FOLDER", tmp_path / "nowhere")
    return folder


def program(path: Path, script: str = "exit 0") -> Path:
    """Write an executable script."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def settings(**values: Any) -> Any:
    """Return settings."""
    return ConverterSettings(**values)


def test_auto_chooses_dcm2niix_for_dicom_and_nibabel_for_par_rec() -> None:
    available = find_converters(settings())
    assert converter_for(SeriesKind.DICOM, available).name == "dcm2niix"
    assert converter_for(SeriesKind.PARREC, available).name == "nibabel"
    assert available.notes == ()


@pytest.mark.parametrize("kind", list(SeriesKind))
def test_a_requested_tool_converts_all_kinds(kind: SeriesKind) -> None:
    assert converter_for(kind, find_converters(settings(tool=Tool.DCM2NIIX))).name == "dcm2niix"


@pytest.mark.parametrize("tool", [Tool.DCM2NII, Tool.DICM2NII])
def test_a_missing_tool_is_refused_with_its_variable_and_an_alternative(tool: Tool) -> None:
    with pytest.raises(UsageError) as caught:
        find_converters(settings(tool=tool))
    assert caught.value.status is ExitStatus.UNAVAILABLE
    assert tool.value in caught.value.message
    assert f"QXBATCH_{tool.value.upper()}" in caught.value.message
    assert "--fallback=dcm2niix" in caught.value.hint


@pytest.mark.parametrize("tool", [Tool.DCM2NII, Tool.DICM2NII])
def test_a_fallback_is_used_with_a_note(tool: Tool) -> None:
    available = find_converters(settings(tool=tool, fallback=Tool.DCM2NIIX))
    assert converter_for(SeriesKind.DICOM, available).name == "dcm2niix"
    (note,) = available.notes
    assert tool.value in note
    assert "--fallback=dcm2niix" in note


def test_the_note_about_a_fallback_names_the_missing_converter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dcm2niix, "candidates", list)
    monkeypatch.setattr(dcm2nii, "find", lambda: dcm2nii.Dcm2nii(Path("/bin/true"), "1"))
    (note,) = find_converters(settings(fallback=Tool.DCM2NII)).notes
    assert note.startswith("dcm2niix is not installed")


def test_a_missing_nibabel_is_refused_without_advice_to_use_auto(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nibabel_converter, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match="nibabel") as caught:
        find_converters(settings())
    assert "--tool=auto" not in caught.value.hint


@pytest.mark.parametrize("variable", [dcm2niix.VARIABLE, dcm2nii.VARIABLE, dicm2nii.MATLAB_VARIABLE])
def test_a_relative_path_of_a_program_is_made_absolute(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binary = program(tmp_path / "program", "echo v1.0.20220720; exit 3")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, "./program")
    paths = (
        getattr(dcm2niix.find(), "binary", None),
        getattr(dcm2nii.find(), "binary", None),
        dicm2nii.interpreter(),
    )
    assert binary in paths


def test_a_missing_fallback_is_refused_together_with_the_missing_tool() -> None:
    with pytest.raises(UsageError, match=r"dcm2nii is not installed .* dicm2nii is not installed"):
        find_converters(settings(tool=Tool.DCM2NII, fallback=Tool.DICM2NII))


def test_a_dcm2niix_that_cannot_run_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dcm2niix, "candidates", lambda: [program(tmp_path / "broken", "exit 127")])
    with pytest.raises(UsageError) as caught:
        find_converters(settings())
    assert caught.value.status is ExitStatus.UNAVAILABLE
    assert "pip install dcm2niix" in caught.value.hint


def test_a_dcm2niix_on_path_is_not_used(empty_path: Path) -> None:
    program(empty_path / "dcm2niix", "echo v1.0.20220720; exit 3")
    converter = dcm2niix.find()
    assert converter is not None
    assert converter.binary.parent != empty_path


def test_dicm2nii_needs_its_code_and_an_interpreter(empty_path: Path, tmp_path: Path) -> None:
    code = tmp_path / "dicm2nii"
    code.mkdir()
    (code / "dicm2nii.m").write_text("function dicm2nii\n")
    (code / "README.md").write_text("# DICOM to NIfTI conversion (version 2026.03.19)\n")
    assert dicm2nii.find(code) is None
    assert "octave-cli" in dicm2nii.probe(code).advice
    octave = program(empty_path / "octave-cli")
    converter = dicm2nii.find(code)
    assert converter is not None
    assert (converter.version, converter.interpreter) == ("2026.03.19", octave)


def test_matlab_is_used_only_if_it_is_configured(
    empty_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(empty_path / "octave-cli")
    matlab = program(empty_path / "matlab")
    assert dicm2nii.interpreter() == empty_path / "octave-cli"
    monkeypatch.setenv(dicm2nii.MATLAB_VARIABLE, str(matlab))
    assert dicm2nii.interpreter() == matlab
    call = dicm2nii.Dicm2nii(tmp_path, matlab, "").command(job(tmp_path))
    assert call.argv[1:5] == ("-nodisplay", "-nosplash", "-nodesktop", "-r")


def test_dicm2nii_gets_its_paths_from_environment_variables(tmp_path: Path) -> None:
    folder = tmp_path / "it's; exit(0)"
    folder.mkdir()
    new_job = job(folder)
    call = dicm2nii.Dicm2nii(tmp_path, Path("octave-cli"), "").command(new_job)
    assert not any("it's" in word for word in call.argv)
    assert call.env["QXBATCH_SRC"] == str(new_job.source)
    assert "dicm2nii(getenv('QXBATCH_SRC'),getenv('QXBATCH_DST'),1)" in call.argv[-1]


def test_dcm2nii_is_called_with_the_par_file(tmp_path: Path) -> None:
    par_job = job(tmp_path, SeriesKind.PARREC)
    (par_job.source / "a.PAR").write_bytes(b"")
    (par_job.source / "a.REC").write_bytes(b"")
    argv = dcm2nii.Dcm2nii(Path("/x/dcm2nii"), "").command(par_job).argv
    assert argv == ("/x/dcm2nii", "-g", "y", "-v", "n", "-o", str(par_job.out), str(par_job.source / "a.PAR"))


def test_copies_of_dcm2nii_are_dropped_and_diffusion_tables_are_found(tmp_path: Path) -> None:
    new_job = job(tmp_path)
    for name in ("a.nii", "oa.nii", "coa.nii", "xa.nii", "xa.bval", "xa.bvec"):
        (new_job.out / name).write_bytes(b"")
    outputs = dcm2nii.Dcm2nii(Path("/x/dcm2nii"), "").outputs(new_job)
    assert [(output.nifti.name, output.suffix, sorted(output.sidecars)) for output in outputs] == [
        ("a.nii", "_all", []),
        ("xa.nii", "", ["bval", "bvec"]),
    ]


def test_all_converters_are_probed_in_order() -> None:
    probes = converter_probes()
    assert [probe.name for probe, _ in probes] == ["dcm2niix", "nibabel", "dicm2nii", "dcm2nii"]
    assert (
        [probe.is_installed for probe, _ in probes]
        == [required for _, required in probes]
        == [True, True, False, False]
    )


def job(folder: Path, kind: SeriesKind = SeriesKind.DICOM) -> ConverterJob:
    """Return a job and create its folders."""
    new_job = ConverterJob(Series(30, kind, {}, 1, 1, folder), folder / "in", folder / "out", folder / "home")
    for path in (new_job.source, new_job.out, new_job.home):
        path.mkdir()
    return new_job


@pytest.mark.parametrize(
    ("names", "suffixes"),
    [
        (["30"], [""]),
        (["30", "30a", "30b"], ["", "", ""]),
        (["30_e1", "30_e1a", "30_e2", "30_e2_ph"], ["_e1", "_e1", "_e2", "_e2_ph"]),
        (["30_real", "30_imaginary"], ["_real", "_imaginary"]),
        (["30_pha"], ["_pha"]),
        (["30_ph", "30_pha"], ["_ph", "_ph"]),
        (["30f", "30f_ADC"], ["", "_ADC"]),
        (["30_i00001", "30_i00002"], ["_i00001", "_i00002"]),
        (["30_ROI1"], ["_ROI1"]),
        (["30_Eq_1"], ["_Eq_1"]),
        (["30_e1_ph", "30_e1_pha"], ["_e1_ph", "_e1_ph"]),
    ],
)
def test_suffixes_of_dcm2niix_have_no_clash_letters(names: list[str], suffixes: list[str]) -> None:
    assert [suffix_of(name, "30", names) for name in names] == suffixes


def test_outputs_are_sorted_by_name_and_have_their_sidecars(tmp_path: Path) -> None:
    for name in ("30_ph.nii", "30.nii", "30a.nii", "30.json", "30.bval", "30.bvec", "30_ADC.nii", "stray.txt"):
        (tmp_path / name).write_bytes(b"")
    outputs = numbered_outputs(tmp_path, "30")
    assert [output.nifti.name for output in outputs] == ["30.nii", "30_ADC.nii", "30_ph.nii", "30a.nii"]
    assert sorted(outputs[0].sidecars) == ["bval", "bvec", "json"]
    assert outputs[1].sidecars == {}


def test_each_converter_is_searched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def counted(name: str, find: Callable[[], Any]) -> Callable[[], Any]:
        def call() -> Any:
            calls.append(name)
            return find()

        return call

    monkeypatch.setattr(dcm2niix, "find", counted("dcm2niix", dcm2niix.find))
    find_converters(settings())
    assert calls == ["dcm2niix"]


@pytest.mark.parametrize(
    ("stem", "name", "expected"),
    [
        ("T1w", "T1w", ""),
        ("T1w_phase", "T1w", "_ph"),
        ("T1w_phase", "T1w_phase", ""),
        ("me_e1", "me", "_e1"),
        ("me_e1", "me_e1", ""),
        ("gre_field_mapping_e2_phase", "gre field mapping", "_e2_ph"),
        ("x3D_T1", "3D T1", ""),
        ("x3D_e2", "3D_e2", ""),
        ("xmap_phase", "xmap_phase", ""),
        ("xmap_e2_phase", "xmap_e2", "_ph"),
        ("a_b", "a: b", ""),
        ("swi_PHASE_e1", "swi", "_e1_ph"),
        ("swi_MAGNITUDE", "swi", ""),
        ("asl_MoCo", "asl", ""),
    ],
)
def test_suffixes_of_dicm2nii_are_renamed_to_those_of_dcm2niix(stem: str, name: str, expected: str) -> None:
    assert dicm2nii.dcm2niix_suffix(stem, name) == expected
