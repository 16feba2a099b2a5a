"""The legacy dcm2nii, replaced by a fake program with its recorded behaviour (no package contains the real one)."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import pytest

from qxbatch.convert import dcm2nii
from qxbatch.convert.available import find_converters
from qxbatch.convert.series import convert_series
from qxbatch.model import Conversion, Series, SeriesKind, State
from qxbatch.record.images import number_images
from qxbatch.settings.model import Tool
from tests.build.dicom import MrSeries
from tests.build.parrec import ParRec
from tests.test_convert_series import ConverterSettings

FAKE = '''#!{python}
"""Every flag takes a value; -o must exist, else output goes to the source; a PAR folder ends with 1; no JSON."""
import sys
from pathlib import Path

import nibabel as nib
import numpy as np

words = sys.argv[1:]
if not words:
    print("dcm2nii version 1June2015 (c) Chris Rorden")
    sys.exit(1)
options = dict(zip(words[:-1:2], words[1:-1:2], strict=True))
source = Path(words[-1])
out = Path(options["-o"]) if Path(options["-o"]).is_dir() else source
assert options["-g"] == "y" and options["-v"] == "n"
if source.is_dir() and list(source.glob("*.PAR")):
    sys.exit(1)
print("Converting 1/1  volumes: 1")
for name, shape in {images}.items():
    nib.save(nib.Nifti1Image(np.zeros(shape, np.int16), np.diag([-3, 3, 4, 1])), out / (name + ".nii.gz"))
for name in {tables}:
    (out / (name + ".bval")).write_text("0 1000\\n")
    (out / (name + ".bvec")).write_text("0 1\\n0 0\\n0 0\\n")
{more}
'''


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that installs a fake dcm2nii, which writes images with given names and shapes."""

    def install(images: dict[str, tuple[int, ...]], tables: tuple[str, ...] = (), more: str = "") -> None:
        path = tmp_path / "dcm2nii"
        path.write_text(FAKE.format(python=sys.executable, images=images, tables=tables, more=more))
        path.chmod(0o755)
        monkeypatch.setenv(dcm2nii.VARIABLE, str(path))

    return install


def convert(root: Path, files: dict[str, bytes], kind: SeriesKind = SeriesKind.DICOM) -> Conversion:
    """Convert a series as a run with --tool=dcm2nii would."""
    source = root / "dicom" / "30"
    source.mkdir(parents=True)
    for name, data in files.items():
        (source / name).write_bytes(data)
    settings: Any = ConverterSettings(tool=Tool.DCM2NII)
    series = Series(30, kind, {"SeriesNumber": 3, "SeriesDescription": "EPI"}, len(files), 1000, source)
    tools = find_converters(settings)
    return convert_series(series, settings, root / "work", tools, threading.Event())


def dicom(volumes: int = 1) -> dict[str, bytes]:
    """Return a series of 6 x 8 x 3 voxels."""
    return {f"{k:03}.dcm": data for k, data in enumerate(MrSeries(volumes=volumes).files().values())}


def test_an_image_gets_the_number_and_name_of_its_series(tmp_path: Path, install: Callable[..., None]) -> None:
    install({"20180918_121229EPIPEAPs003a001": (6, 8, 3)})
    conversion = convert(tmp_path, dicom())
    assert conversion.tool == "dcm2nii 1June2015"
    assert conversion.state in {State.CONVERTED, State.PARTIAL}
    (image,) = number_images([conversion], [30]).images
    assert (image.number, image.name, image.shape, image.info) == (31, "EPI", (6, 8, 3), ())
    assert "-g y -v n -o <out>" in conversion.log
    assert "Found 3 DICOM file(s)" in conversion.log


def test_name_clashes_give_several_images(tmp_path: Path, install: Callable[..., None]) -> None:
    name = "20180918_121229EPIPEAPs003a001"
    install({name: (6, 8, 3), f"{name}A": (6, 8, 3), f"{name}B": (6, 8, 3)})
    conversion = convert(tmp_path, dicom(volumes=3))
    assert [image.name for image in number_images([conversion], [30]).images] == ["EPI [1/3]", "EPI [2/3]", "EPI [3/3]"]


def test_diffusion_tables_belong_to_the_image_with_prefix_x(tmp_path: Path, install: Callable[..., None]) -> None:
    install({"dti": (6, 8, 3, 3), "xdti": (6, 8, 3, 2), "odti": (6, 8, 3)}, ("xdti",))
    conversion = convert(tmp_path, dicom(volumes=3))
    assert [(output.suffix, sorted(output.sidecars)) for output in conversion.outputs] == [
        ("_all", []),
        ("", ["bval", "bvec"]),
    ]


def test_dcm2nii_is_called_with_the_par_file_since_a_folder_fails(tmp_path: Path, install: Callable[..., None]) -> None:
    install({"scan": (6, 8, 3)})
    conversion = convert(tmp_path, ParRec().files(), SeriesKind.PARREC)
    assert len(conversion.outputs) == 1
    assert "scan.PAR" in conversion.log


def test_invalid_images_with_exit_status_0_are_a_failure(tmp_path: Path, install: Callable[..., None]) -> None:
    install({}, more='(out / "a.nii.gz").write_bytes(b"no gzip")\n(out / "b.nii").write_bytes(b"x" * 400)')
    conversion = convert(tmp_path, dicom())
    assert conversion.state is State.FAILED
    assert "cannot be read as NIfTI" in conversion.problems[0].message


def test_a_truncated_compressed_image_is_a_failure(tmp_path: Path, install: Callable[..., None]) -> None:
    install({"a": (6, 8, 3)}, more='p = out / "a.nii.gz"; p.write_bytes(p.read_bytes()[:60])')
    assert convert(tmp_path, dicom()).state is State.FAILED


def test_the_image_is_an_uncompressed_nifti_file(tmp_path: Path, install: Callable[..., None]) -> None:
    install({"a": (6, 8, 3)})
    conversion = convert(tmp_path, dicom())
    image: Any = nib.load(conversion.outputs[0].nifti)
    assert conversion.outputs[0].nifti.suffix == ".nii"
    assert image.shape == (6, 8, 3)
