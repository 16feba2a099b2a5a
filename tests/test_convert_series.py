"""One series is converted with the real dcm2niix, and with fake converters that misbehave."""

import errno
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

import nibabel as nib
import numpy as np
import pydicom
import pytest

from qxbatch.convert.available import AvailableConverters, find_converters
from qxbatch.convert.dcm2niix import VARIABLE, Dcm2niix, candidates
from qxbatch.convert.series import convert_series
from qxbatch.core import CancelledError
from qxbatch.model import Conversion, Series, SeriesKind, State, Value
from qxbatch.problems import Code, Problem, Severity
from qxbatch.settings.model import Stages, Tool
from tests.build.dicom import MrSeries, encoded
from tests.build.objects import report, screen_save


@dataclass(frozen=True)
class ConverterSettings:
    """The settings that conversion depends on."""

    tool: Tool = Tool.AUTO
    fallback: Tool | None = None
    dicm2nii_dir: Path | None = None
    timeout: float | None = None
    stages: Stages = Stages.ALL


class Bench:
    """A staging folder with one series."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.staging = root / "staging"
        self.settings: Any = ConverterSettings()

    def series(self, files: dict[str, bytes], kind: SeriesKind = SeriesKind.DICOM, n: int = 30) -> Series:
        """Write files as `dicom/<n>`."""
        folder = self.staging / "dicom" / str(n)
        folder.mkdir(parents=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
        header: dict[str, Value] = {"SeriesNumber": n // 10, "SeriesDescription": "T1w"}
        return Series(n, kind, header, len(files), sum(map(len, files.values())), folder)

    def convert(self, series: Series, cancel: threading.Event | None = None) -> Conversion:
        """Convert a series as a run does."""
        return convert_series(
            series,
            self.settings,
            self.root / "work",
            find_converters(self.settings),
            cancel or threading.Event(),
            staging=self.staging,
            final=Path("/study/S1"),
        )


def described(path: Path) -> str:
    """Return the SeriesDescription of a file."""
    return str(pydicom.dcmread(path, stop_before_pixels=True, force=True).get("SeriesDescription") or "")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Return an empty staging folder."""
    return Bench(tmp_path)


@pytest.fixture
def fake_dcm2niix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that replaces dcm2niix by a shell script; `$out` is its output folder, `$n` the series."""

    def install(script: str) -> None:
        path = tmp_path / "dcm2niix"
        head = '#!/bin/sh\n[ "$1" = -v ] && echo v1.0.20260724 && exit 3\nn=$4\nout=${12}\n'
        path.write_text(f"{head}{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv(VARIABLE, str(path))

    return install


def files(series: MrSeries) -> dict[str, bytes]:
    """Return the files of a series with their names in staging."""
    return {f"P-{k:04}.dcm": data for k, data in enumerate(series.files().values())}


def only(conversion: Conversion, code: Code) -> Problem:
    """Return the only problem with a code."""
    (problem,) = [problem for problem in conversion.problems if problem.code is code]
    return problem


def refuse(*_: object) -> NoReturn:
    """Refuse to read a file."""
    raise PermissionError(errno.EACCES, "Permission denied")


def leftovers(bench: Bench) -> list[Path]:
    """Return the files that a conversion left in its work folder."""
    return [path for path in (bench.root / "work").rglob("*") if path.is_file()]


def test_a_real_conversion_keeps_the_voxels_of_the_dicom_files(bench: Bench) -> None:
    series = MrSeries(slices=5, volumes=3)
    conversion = bench.convert(bench.series(files(series)))
    assert conversion.state is State.CONVERTED
    assert conversion.problems == ()
    assert conversion.tool.startswith("dcm2niix 1.0.")
    (output,) = conversion.outputs
    assert (output.suffix, sorted(output.sidecars)) == ("", ["json"])
    image = np.asarray(nib.load(output.nifti).dataobj)  # type: ignore[attr-defined]
    assert image.shape == (6, 8, 5, 3)
    for volume in range(3):
        assert np.array_equal(np.sort(image[..., volume].ravel()), np.sort(series.volume(volume).ravel()))


def test_the_log_contains_final_paths_and_the_number_of_files(bench: Bench) -> None:
    conversion = bench.convert(bench.series(files(MrSeries())))
    assert "Found 3 DICOM file(s)\n" in conversion.log
    assert str(bench.root) not in conversion.log
    assert "/study/S1/dicom/30" in conversion.log


@pytest.mark.parametrize(
    ("script", "words"),
    [
        pytest.param("exit 0", "left no image", id="no-image-exit-0"),
        pytest.param("echo Error: bad pixels; exit 1", "Error: bad pixels", id="exit-1"),
        pytest.param('printf garbage > "$out/$n.nii"; exit 0', "cannot be read as NIfTI", id="garbage"),
        pytest.param('printf x > "$out/$n.nii"; exit 1', "status 1", id="leftover-of-a-failure"),
        pytest.param('printf x > "$out/$n.nii"; kill -SEGV $$', "signal 11", id="crash"),
        pytest.param("exit 12", "status 12", id="unknown-status"),
    ],
)
def test_a_converter_that_fails_leaves_a_reason_and_no_files(
    bench: Bench, fake_dcm2niix: Callable[[str], None], script: str, words: str
) -> None:
    fake_dcm2niix(script)
    conversion = bench.convert(bench.series(files(MrSeries())))
    assert conversion.state is State.FAILED
    assert conversion.outputs == ()
    problem = only(conversion, Code.CONVERT_FAILED)
    assert words in problem.message
    assert problem.severity is Severity.ERROR
    assert "dicom/dcm2niix_30.log" in problem.hint
    assert leftovers(bench) == []
    assert "Found 3 DICOM file(s)" in conversion.log


def test_outputs_that_cannot_be_read_are_a_failure_with_the_log_of_the_converter(
    bench: Bench, fake_dcm2niix: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_dcm2niix("echo Warning: a message")
    monkeypatch.setattr(Dcm2niix, "outputs", refuse)
    conversion = bench.convert(bench.series(files(MrSeries(slices=2))))
    assert "could not be used" in only(conversion, Code.CONVERT_FAILED).message
    assert "Warning: a message\nexit status: 0\n" in conversion.log


def test_a_converter_that_hangs_is_stopped_after_the_time_limit(
    bench: Bench, fake_dcm2niix: Callable[[str], None]
) -> None:
    fake_dcm2niix('echo half > "$out/$n.nii"; sleep 300')
    bench.settings = ConverterSettings(timeout=0.5)
    conversion = bench.convert(bench.series(files(MrSeries())))
    assert conversion.state is State.FAILED
    assert "longer than" in only(conversion, Code.CONVERT_FAILED).message
    assert leftovers(bench) == []


def test_a_flood_of_output_is_shortened_in_the_log(bench: Bench, fake_dcm2niix: Callable[[str], None]) -> None:
    fake_dcm2niix("head -c 10000000 /dev/zero | tr '\\0' x | fold -w 99; exit 1")
    conversion = bench.convert(bench.series(files(MrSeries())))
    assert conversion.state is State.FAILED
    assert len(conversion.log) < 2 << 20


def test_the_note_about_normalized_copies_says_that_the_first_conversion_failed(
    bench: Bench, fake_dcm2niix: Callable[[str], None]
) -> None:
    real = candidates()[-1]
    fake_dcm2niix(f'case "$*" in */copies/*) exec {real} "$@";; esac; echo Error: a message; exit 1')
    conversion = bench.convert(bench.series(files(MrSeries())))
    assert conversion.state is State.CONVERTED
    note = only(conversion, Code.CONVERT_NOTE)
    assert "since dcm2niix alone failed: dcm2niix ended with status 1." in note.message


def test_a_truncated_image_is_a_failure(bench: Bench, fake_dcm2niix: Callable[[str], None], tmp_path: Path) -> None:
    image = tmp_path / "image.nii"
    nib.save(nib.Nifti1Image(np.zeros((6, 8, 3), np.int16), np.eye(4)), image)
    fake_dcm2niix(f'head -c 400 {image} > "$out/$n.nii"; exit 0')
    conversion = bench.convert(bench.series(files(MrSeries())))
    assert conversion.state is State.FAILED
    assert "cut short" in only(conversion, Code.CONVERT_FAILED).message


def test_fewer_slices_than_files_give_a_partial_conversion(
    bench: Bench, fake_dcm2niix: Callable[[str], None], tmp_path: Path
) -> None:
    image = tmp_path / "image.nii"
    nib.save(nib.Nifti1Image(np.zeros((6, 8, 2), np.int16), np.eye(4)), image)
    fake_dcm2niix(f'cp {image} "$out/$n.nii"; exit 0')
    conversion = bench.convert(bench.series(files(MrSeries())))
    assert conversion.state is State.PARTIAL
    assert only(conversion, Code.CONVERT_PARTIAL).message == "the headers announce 3 slices, the images contain 2."
    assert any("3 of 3 slices are not where their headers say" in problem.message for problem in conversion.problems)


def test_missing_pixels_that_are_no_whole_slices_are_counted_as_pixels(
    bench: Bench, fake_dcm2niix: Callable[[str], None], tmp_path: Path
) -> None:
    image = tmp_path / "image.nii"
    nib.save(nib.Nifti1Image(np.zeros((6, 7, 3), np.int16), np.eye(4)), image)
    fake_dcm2niix(f'cp {image} "$out/$n.nii"; exit 0')
    conversion = bench.convert(bench.series(files(MrSeries())))
    message = "the headers announce 144 pixels, the images contain 126."
    assert only(conversion, Code.CONVERT_PARTIAL).message == message


@pytest.mark.parametrize(("status", "state"), [(8, State.PARTIAL), (10, State.CONVERTED)])
def test_statuses_8_and_10_keep_the_images_and_give_a_warning(
    bench: Bench, fake_dcm2niix: Callable[[str], None], tmp_path: Path, status: int, state: State
) -> None:
    conversion = bench.convert(bench.series(files(MrSeries())))
    real = tmp_path / "real.nii"
    conversion.outputs[0].nifti.rename(real)
    fake_dcm2niix(f'cp {real} "$out/$n.nii"; echo Warning: incomplete; exit {status}')
    second = bench.convert(replace(conversion.series))
    assert second.state is state
    assert len(second.outputs) == 1
    assert all(problem.severity is Severity.WARNING for problem in second.problems)
    assert "Warning: incomplete" in second.problems[0].message


def test_a_report_contains_nothing_to_convert(bench: Bench) -> None:
    conversion = bench.convert(bench.series({"a.dcm": encoded(report(MrSeries()))}))
    assert conversion.state is State.NOTHING
    assert only(conversion, Code.NOTHING_TO_CONVERT).message == "contains a report, no image."


def test_a_screen_save_is_converted_with_a_note(bench: Bench) -> None:
    conversion = bench.convert(bench.series({"a.dcm": encoded(screen_save(MrSeries()))}))
    assert len(conversion.outputs) == 1
    assert any("secondary capture" in problem.message for problem in conversion.problems)


def test_gzipped_files_are_listed_and_not_converted(bench: Bench) -> None:
    conversion = bench.convert(bench.series({"a.dcm.gz": b"x", "b.dcm.gz": b"y"}))
    assert conversion.state is State.NOTHING
    assert "unzip=no" in only(conversion, Code.NOTHING_TO_CONVERT).message
    assert "Found 2 DICOM file(s)" in conversion.log


def test_some_gzipped_files_give_a_partial_conversion(bench: Bench) -> None:
    conversion = bench.convert(bench.series({**files(MrSeries()), "z.dcm.gz": b"y"}))
    assert conversion.state is State.PARTIAL
    assert "1 of its 4 files" in only(conversion, Code.CONVERT_PARTIAL).message


def test_cancelling_raises_an_exception_and_leaves_no_files(bench: Bench, fake_dcm2niix: Callable[[str], None]) -> None:
    fake_dcm2niix('echo half > "$out/$n.nii"; sleep 300')
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    with pytest.raises(CancelledError):
        bench.convert(bench.series(files(MrSeries())), cancel)
    assert leftovers(bench) == []


def test_a_missing_slice_is_found_before_conversion(bench: Bench) -> None:
    series_files = files(MrSeries(slices=9, volumes=1))
    del series_files["P-0004.dcm"]
    conversion = bench.convert(bench.series(series_files))
    assert (
        only(conversion, Code.CONVERT_REVIEW).message
        == "incomplete: 1 volume, 0 complete, 8 slices of one, which has 9."
    )


def test_a_stopped_scan_is_found_before_conversion(bench: Bench) -> None:
    series_files = files(MrSeries(slices=6, volumes=3))
    for k in (15, 16, 17):
        del series_files[f"P-{k:04}.dcm"]
    conversion = bench.convert(bench.series(series_files))
    assert (
        only(conversion, Code.CONVERT_REVIEW).message
        == "incomplete: planned 3 volumes, 2 complete, 3 slices of one more."
    )


def test_an_ini_file_of_the_user_is_ignored(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".dcm2nii.ini").write_text("isGZ=1\nfilename=%p_hijacked\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    conversion = bench.convert(bench.series(files(MrSeries())))
    assert [output.nifti.name for output in conversion.outputs] == ["30.nii"]


def test_paths_with_spaces_quotes_and_dollars_are_not_interpreted(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "a 'b' $(touch hacked) \"c\"")
    bench.root.mkdir()
    assert bench.convert(bench.series(files(MrSeries()))).state is State.CONVERTED
    assert not list(tmp_path.rglob("hacked"))
    assert not Path("hacked").exists()


def test_converter_versions_include_nibabel_only_for_par_rec() -> None:
    settings: Any = ConverterSettings()
    available = find_converters(settings)
    assert isinstance(available, AvailableConverters)
    assert available.versions({SeriesKind.DICOM}).keys() == {"dcm2niix"}
    assert available.versions(set(SeriesKind)) == {
        "dcm2niix": available.converters["dcm2niix"].version,
        "nibabel": version("nibabel"),
    }
    assert os.access(next(iter(available.converters.values())).binary, os.X_OK)  # type: ignore[attr-defined]
