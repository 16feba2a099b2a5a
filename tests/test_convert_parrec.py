"""PAR/REC pairs with `--tool=auto`: voxels and affines equal those of nibabel, whichever converter was used."""

import errno
import re
import shutil
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import nibabel as nib
import numpy as np
import pytest

from qxbatch.convert import dcm2niix
from qxbatch.convert.available import find_converters
from qxbatch.convert.converter import Command
from qxbatch.convert.nibabel_converter import Nibabel
from qxbatch.convert.par_table import image_defs
from qxbatch.convert.run import Cancel
from qxbatch.convert.series import convert_series
from qxbatch.model import Conversion, Output, Series, SeriesKind, State
from qxbatch.parrec import read_par
from qxbatch.problems import Code, Severity
from qxbatch.settings.model import Tool
from tests.build.parrec import ParRec
from tests.test_convert_series import ConverterSettings

NIBABEL = Path(nib.__file__).parent / "tests" / "data"


def convert(
    folder: Path, par: bytes, rec: bytes | None, tool: Tool = Tool.AUTO, cancel: Cancel | None = None
) -> Conversion:
    """Convert a pair as a run does."""
    return convert_pair(folder, pair_series(folder, par, rec), tool, cancel)


def pair_series(folder: Path, par: bytes, rec: bytes | None) -> Series:
    """Write a pair, and return its series."""
    series_folder = folder / "dicom" / "30"
    series_folder.mkdir(parents=True, exist_ok=True)
    (series_folder / "scan.PAR").write_bytes(par)
    if rec is not None:
        (series_folder / "scan.REC").write_bytes(rec)
    size = len(par) + len(rec or b"")
    return Series(30, SeriesKind.PARREC, read_par(series_folder / "scan.PAR").dicom(), 2, size, series_folder)


def convert_pair(folder: Path, series: Series, tool: Tool = Tool.AUTO, cancel: Cancel | None = None) -> Conversion:
    """Convert a series as a run does."""
    settings: Any = ConverterSettings(tool=tool)
    return convert_series(series, settings, folder / "work", find_converters(settings), cancel or threading.Event())


def convert_file(folder: Path, par: Path) -> Conversion:
    """Convert a pair, given the path of its PAR."""
    return convert(folder, par.read_bytes(), par.with_suffix(".REC").read_bytes())


def canonical(image: Any) -> Any:
    """Return an image in RAS order."""
    data = np.asarray(image.dataobj, dtype=np.float64)
    return nib.as_closest_canonical(nib.Nifti1Image(data, image.affine))


def volumes(output: Output) -> list[Any]:
    """Return the volumes of an output."""
    data = canonical(nib.load(output.nifti)).get_fdata()
    return [data] if data.ndim == 3 else [data[..., t] for t in range(data.shape[3])]


def expected(par: Path) -> tuple[list[Any], Any]:
    """Return the volumes and the affine of a pair as nibabel reads them."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = canonical(nib.load(par, permit_truncated=True, strict_sort=True, scaling="fp"))
    data = image.get_fdata()
    return ([data] if data.ndim == 3 else [data[..., t] for t in range(data.shape[3])]), image.affine


def check_against_nibabel(
    conversion: Conversion, par: Path, tolerance: float = 2e-5, shift: tuple[float, float, float] = (0, 0, 0)
) -> None:
    """Check that the outputs contain each volume of nibabel, and that affines differ by a shift, within 0.05 mm."""
    expected_volumes, affine = expected(par)
    converted = [volume for output in conversion.outputs for volume in volumes(output)]
    for volume in expected_volumes:
        nearest = min(np.abs(volume - other).max() for other in converted)
        assert nearest <= tolerance * max(1.0, np.abs(volume).max())
    for output in conversion.outputs:
        difference = canonical(nib.load(output.nifti)).affine - affine
        difference[:3, 3] -= shift
        assert np.abs(difference).max() < 0.05


@pytest.mark.parametrize("path", sorted(NIBABEL.glob("*.REC")), ids=lambda path: path.stem)
def test_sample_pairs_of_nibabel_are_converted(tmp_path: Path, path: Path) -> None:
    conversion = convert_file(tmp_path, path.with_suffix(".PAR"))
    assert conversion.state is State.CONVERTED
    check_against_nibabel(conversion, path.with_suffix(".PAR"))


PARS = sorted(path for path in NIBABEL.glob("*.PAR") if path.stem not in {"NA", "umass_anonymized"})
SUFFIXES = {
    "ASL_3D_Multiecho": ["_e1", "_e2", "_e3"],
    "DTI": ["", "_ADC"],
    "T1_3echo_mag_real_imag_phase": [f"_e{k}{part}" for k in (1, 2, 3) for part in ("", "_imaginary", "_ph", "_real")],
    "T1_dual_echo": ["_e1", "_e2"],
    "fieldmap": ["", "_ph"],
}

SHIFTS = {"ASL_3D_Multiecho": (2.877, -16.438, -28.470)}
"""Its lines place the 8 slices at the end of the slab. nibabel uses the general lines, which are of the whole slab."""


@pytest.mark.parametrize("path", PARS, ids=lambda path: path.stem)
def test_real_headers_with_synthetic_voxels_equal_nibabel(tmp_path: Path, path: Path) -> None:
    rec = synthetic_rec(path)
    conversion = convert(tmp_path, path.read_bytes(), rec)
    assert conversion.state is State.CONVERTED
    assert [output.suffix for output in conversion.outputs] == SUFFIXES.get(path.stem, [""])
    shutil.copy(path, tmp_path / "scan.PAR")
    (tmp_path / "scan.REC").write_bytes(rec)
    check_against_nibabel(conversion, tmp_path / "scan.PAR", 2e-4, SHIFTS.get(path.stem, (0, 0, 0)))


def synthetic_rec(path: Path) -> bytes:
    """Return a REC in which all images and all corners differ."""
    table = image_defs(read_par(path))
    columns, rows = table["recon resolution"][0]
    plane = np.random.default_rng(0).integers(1, 2000, (rows, columns))
    kind = f"<u{table['image pixel size'][0] // 8}"
    return b"".join(((plane + k) % 4000).astype(kind).tobytes() for k in range(len(table)))


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "suffixes", "tool"),
    [
        ("nitest-balls1/PARREC/T1", [""], "dcm2niix"),
        ("nitest-balls1/PARREC/T2", [""], "dcm2niix"),
        ("nitest-balls1/PARREC/T2-interleaved", [""], "dcm2niix"),
        ("nitest-balls1/PARREC/T2_", [""], "dcm2niix"),
        ("nitest-balls1/PARREC/T2_-interleaved", [""], "dcm2niix"),
        ("nitest-balls1/PARREC/fieldmap", ["", "_ph"], "dcm2niix"),
        ("nitest-balls1/PARREC/DTI", ["", "_ADC"], "dcm2niix"),
        ("nibabel_parrec/with_rec/phantom_EPI_asc_CLEAR_2_1", [""], "dcm2niix"),
        ("nibabel_parrec/with_rec/phantom_truncated", [""], "dcm2niix"),
        ("nibabel_parrec/with_rec/phantom_varscale", [""], "nibabel"),
    ],
)
def test_real_pairs_equal_nibabel(tmp_path: Path, data: Path, name: str, suffixes: list[str], tool: str) -> None:
    par = data / f"{name}.PAR"
    conversion = convert_file(tmp_path, par)
    assert conversion.state is State.CONVERTED
    assert [output.suffix for output in conversion.outputs] == suffixes
    assert conversion.tool.split()[0] == tool
    check_against_nibabel(conversion, par)


@pytest.mark.data
def test_a_survey_gives_one_image_for_each_plane(tmp_path: Path, data: Path) -> None:
    conversion = convert_file(tmp_path, data / "nitest-balls1/PARREC/NA.PAR")
    assert [output.suffix for output in conversion.outputs] == ["_cor", "_sag", "_tra"]
    assert "several planes" in conversion.log
    for output in conversion.outputs:
        image: Any = nib.load(output.nifti)
        assert image.shape == (256, 256, 3)
    rec = np.frombuffer((data / "nitest-balls1/PARREC/NA.REC").read_bytes(), "<u2").reshape(9, 256, 256)
    image = nib.load(conversion.outputs[1].nifti)
    raw = np.asarray(image.dataobj.get_unscaled())
    assert np.array_equal(raw, rec[:3].transpose(2, 1, 0))


@pytest.mark.data
def test_gradients_of_nibabel_equal_those_of_dcm2niix(tmp_path: Path, data: Path) -> None:
    par = (data / "nitest-balls1/PARREC/DTI.PAR").read_bytes()
    rec = (data / "nitest-balls1/PARREC/DTI.REC").read_bytes()
    by_dcm2niix = convert(tmp_path / "a", par, rec).outputs[0]
    by_nibabel = convert(tmp_path / "b", par.replace(b"V4.2", b"V4.0"), rec).outputs[0]
    world = [world_gradients(output) for output in (by_nibabel, by_dcm2niix)]
    assert np.abs(world[0] - world[1]).max() < 2e-3


def world_gradients(output: Output) -> Any:
    """Return b-values times directions in RAS+ axes, sorted."""
    image: Any = nib.load(output.nifti)
    bvals, bvecs = (np.loadtxt(output.sidecars[name], ndmin=2) for name in ("bval", "bvec"))
    axes = image.affine[:3, :3] / np.linalg.norm(image.affine[:3, :3], axis=0)
    if np.linalg.det(axes) > 0:
        bvecs = bvecs * np.array([[-1], [1], [1]])
    world = np.vstack([bvals / 1000, axes @ bvecs])
    return world[:, np.lexsort(np.round(world, 1))]


def test_a_synthetic_pair_equals_nibabel(tmp_path: Path) -> None:
    pair = ParRec(slices=4, volumes=3)
    conversion = convert(tmp_path, pair.par().encode("latin-1"), pair.rec())
    assert conversion.state is State.CONVERTED
    assert conversion.tool.startswith("dcm2niix")
    (tmp_path / "scan.PAR").write_text(pair.par(), newline="")
    (tmp_path / "scan.REC").write_bytes(pair.rec())
    check_against_nibabel(conversion, tmp_path / "scan.PAR")


@pytest.mark.parametrize("version", ["V4.1", "V4", "V3"])
def test_versions_below_4_1_are_converted_with_nibabel(tmp_path: Path, version: str) -> None:
    pair = ParRec(slices=4, volumes=2)
    conversion = convert(tmp_path, as_older_version(pair.par(), version).encode("latin-1"), pair.rec())
    assert conversion.state is State.CONVERTED
    assert conversion.tool.split()[0] == ("dcm2niix" if version == "V4.1" else "nibabel")
    converted = volumes(conversion.outputs[0])
    for t, volume in enumerate(converted):
        expected_voxels = np.frombuffer(pair.rec(), "<u2").reshape(2, 4, 8, 6)[t]
        assert np.array_equal(np.sort(volume.ravel()), np.sort(expected_voxels.ravel()))


def as_older_version(text: str, version: str) -> str:
    """Convert a PAR of version 4.2 to an older version: fewer columns, and in version 3 sizes are in the general part."""
    last = {"V4.1": 48, "V4": 41, "V3": 41}[version]
    out = []
    for line_4_2 in text.replace("V4.2", version).split("\r\n"):
        line, words = line_4_2, line_4_2.split()
        if words and words[0].isdigit():
            words = words[:last]
            if version == "V3":  # pixel size, percentage, matrix; thickness, gap; the last ones but the flip angle
                words = words[:7] + words[11:22] + words[24:34] + words[35:36]
            line = " ".join(words)
        if line.startswith(("#  ",)) and line.endswith(")"):
            continue
        out.append(line)
        if version == "V3" and "Scan mode" in line:
            out += [
                ".    Image pixel size [8 or 16 bits]    :   16",
                ".    Recon resolution (x, y)            :   6 8",
                ".    Slice thickness [mm]               :   3.0",
                ".    Slice gap [mm]                     :   1.0",
            ]
    return "\r\n".join(out)


@pytest.mark.data
def test_the_log_does_not_contain_the_path_of_the_interpreter(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interpreter = tmp_path / "python3.99"
    interpreter.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(interpreter))
    conversion = convert_file(tmp_path, data / "nibabel_parrec/with_rec/phantom_varscale.PAR")
    assert conversion.tool.split()[0] == "nibabel"
    assert ": python -P -m qxbatch.convert.parrec_images" in conversion.log
    assert "python3.99" not in conversion.log


def test_a_missing_rec_is_reported_as_a_failure(tmp_path: Path) -> None:
    conversion = convert(tmp_path, ParRec().par().encode("latin-1"), None)
    assert conversion.state is State.FAILED
    assert "the PAR has no REC" in conversion.problems[0].message
    assert "Found 2 DICOM file(s)" in conversion.log


@pytest.mark.parametrize("tool", [Tool.AUTO, Tool.DCM2NIIX])
def test_an_error_of_the_machine_is_not_a_failure_of_the_series(
    tmp_path: Path, tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path) -> NoReturn:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("qxbatch.convert.par_pair.read_par", fail)
    with pytest.raises(OSError, match="Too many open files"):
        convert(tmp_path, ParRec().par().encode("latin-1"), ParRec().rec(), tool)


def test_a_truncated_rec_is_reported_as_a_failure(tmp_path: Path) -> None:
    pair = ParRec()
    conversion = convert(tmp_path, pair.par().encode("latin-1"), pair.rec()[:-10])
    assert conversion.state is State.FAILED
    assert "cut short" in conversion.problems[0].message
    assert [path for path in (tmp_path / "work").rglob("*") if path.is_file()] == []


def test_a_par_without_geometry_is_a_failure(tmp_path: Path) -> None:
    text = ParRec().par().replace("Angulation midslice", "Something else").replace("V4.2", "V4")
    conversion = convert(tmp_path, text.encode("latin-1"), ParRec().rec())
    assert conversion.state is State.FAILED
    assert "angulation" in conversion.problems[0].message


def test_a_stopped_scan_gives_a_warning(tmp_path: Path) -> None:
    pair = ParRec(volumes=2)
    text = re.sub(r"(number of dynamics +:   )2", r"\g<1>5", pair.par())
    conversion = convert(tmp_path, text.encode("latin-1"), pair.rec())
    assert conversion.state is State.CONVERTED
    assert any("planned 5 volumes, 2 complete" in problem.message for problem in conversion.problems)
    warnings = [problem for problem in conversion.problems if problem.severity is Severity.WARNING]
    assert {problem.code for problem in warnings} == {Code.CONVERT_REVIEW}


def test_nibabel_replaces_a_failed_dcm2niix_with_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "dcm2niix"
    script.write_text("#!/bin/sh\n[ $1 = -v ] && echo v1.0.20260724 && exit 3\necho Error: no; exit 1\n")
    script.chmod(0o755)
    monkeypatch.setenv("QXBATCH_DCM2NIIX", str(script))
    pair = ParRec()
    conversion = convert(tmp_path, pair.par().encode("latin-1"), pair.rec())
    assert conversion.state is State.CONVERTED
    assert conversion.tool.startswith("nibabel")
    assert any("converted with nibabel: dcm2niix did not convert it" in p.message for p in conversion.problems)
    assert "Error: no" in conversion.log
    assert conversion.log.count("Found 2 DICOM file(s)") == 1


def test_images_of_dcm2niix_are_kept_if_nibabel_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = dcm2niix.find()
    assert real is not None
    script = tmp_path / "dcm2niix"
    script.write_text(f'#!/bin/sh\n"{real.binary}" "$@"\n[ $1 = -v ] && exit 3\nexit 8\n')
    script.chmod(0o755)
    monkeypatch.setenv(dcm2niix.VARIABLE, str(script))
    monkeypatch.setattr(Nibabel, "command", lambda *_: Command(("/bin/false",)))
    conversion = convert(tmp_path, ParRec().par().encode("latin-1"), ParRec().rec())
    assert conversion.tool.startswith("dcm2niix")
    (message,) = [p.message for p in conversion.problems if p.code is Code.CONVERT_REVIEW]
    assert message.startswith(
        "dcm2niix's images are kept, since nibabel did not convert it (nibabel ended with status 1."
    )
    assert "but dcm2niix did not convert it completely" in message


def test_a_requested_dcm2niix_is_never_replaced(tmp_path: Path) -> None:
    pair = replace(ParRec(), slices=4)
    conversion = convert(tmp_path, as_older_version(pair.par(), "V4").encode("latin-1"), pair.rec(), Tool.DCM2NIIX)
    assert conversion.tool.startswith("dcm2niix")
