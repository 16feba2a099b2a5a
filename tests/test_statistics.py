"""Temporal SNR and global signal of a time series, compared with numpy."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from qxbatch.core import CancelledError, Monitor, Statistics

SHAPE = (24, 20, 12)
BOX = (slice(4, 20), slice(3, 17), slice(2, 10))
TYPES = [
    "u1",
    "i1",
    "<i2",
    ">i2",
    "<u2",
    ">u2",
    "<i4",
    ">i4",
    "<u4",
    "<i8",
    ">u8",
    "<f4",
    ">f4",
    "<f8",
    ">f8",
    "<c8",
    ">c16",
]

Volumes = NDArray[np.float64]


def scan(volumes: int = 40, *, drift: float = 10) -> Volumes:
    """Return a bright box with drift, noise and different voxels on a dark background."""
    rng = np.random.default_rng(1)
    data = rng.normal(4, 0.5, (*SHAPE, volumes))
    inside = 60 * rng.uniform(0.8, 1.2, SHAPE)[BOX][..., None] + rng.normal(0, 3, data[BOX].shape)
    data[BOX] = inside + np.linspace(-drift / 2, drift / 2, volumes)
    return data


def write(path: Path, data: Volumes, dtype: str = "<f8", scaling: tuple[float, float] | None = None) -> Volumes:
    """Write a scan with a data type; return the values that nibabel reads back."""
    stored = data.astype(dtype) if np.dtype(dtype).kind in "fc" else np.round(data).astype(dtype)
    image = nib.Nifti1Image(stored, np.diag([3, 3, 3, 1]), nib.Nifti1Header(endianness=">" if dtype[0] == ">" else "<"))
    image.header.set_data_dtype(stored.dtype)
    nib.save(image, path)
    if scaling:
        head = bytearray(path.read_bytes())
        head[112:120] = np.array(scaling, ">f4" if dtype[0] == ">" else "<f4").tobytes()
        path.write_bytes(head)
    kind = np.complex128 if stored.dtype.kind == "c" else np.float64
    return np.asarray(np.abs(nib.Nifti1Image.from_filename(path).get_fdata(dtype=kind)), np.float64)


def clip(mean: Volumes) -> float:
    """Return the level that equals half the median of the values above it, starting at half the mean of positive values."""
    positive = mean[mean > 0]
    level = positive.mean() / 2
    for _ in range(50):
        above = np.sort(positive[positive > level])
        level = above[len(above) // 2] / 2
    return float(level)


def expected(data: Volumes, dropped: int = 0) -> tuple[float, Volumes, NDArray[np.bool_]]:
    """Return the median temporal SNR, global signal and mask, computed by numpy."""
    steady = data[..., dropped:]
    count = steady.shape[-1]
    mean = steady.mean(axis=-1)
    mask = mean > clip(mean)
    times = np.arange(count)
    line = np.polynomial.polynomial.polyfit(times, steady[mask].T, 1)
    residuals = steady[mask] - np.polynomial.polynomial.polyval(times, line)
    ratios = steady[mask].mean(axis=-1) / np.sqrt((residuals**2).sum(axis=-1) / (count - 2))
    return float(np.median(ratios)), data[mask].mean(axis=0), mask


def read(path: Path) -> Statistics:
    statistics = Statistics.read(str(path))
    assert statistics is not None
    return statistics


def check(statistics: Statistics, data: Volumes, dropped: int = 0) -> None:
    tsnr, signal, _ = expected(data, dropped)
    assert statistics.tsnr == pytest.approx(tsnr, rel=1e-5)
    assert statistics.global_signal == pytest.approx(signal.tolist(), rel=1e-9)
    assert statistics.dropped_volumes == dropped


@pytest.mark.parametrize("dtype", TYPES)
def test_statistics_of_every_data_type_equal_those_of_numpy(tmp_path: Path, dtype: str) -> None:
    data = write(tmp_path / "a.nii", scan(), dtype)
    check(read(tmp_path / "a.nii"), data)


@pytest.mark.parametrize("dtype", ["<i2", ">i2", "<f4"])
@pytest.mark.parametrize("scaling", [(0.25, 0.0), (2.5, -7.0)])
def test_values_are_scaled_by_the_header(tmp_path: Path, dtype: str, scaling: tuple[float, float]) -> None:
    data = write(tmp_path / "a.nii", scan().round(), dtype, scaling)
    check(read(tmp_path / "a.nii"), data)


@pytest.mark.parametrize("volumes", [10, 11, 16, 17, 50])
def test_statistics_are_computed_for_any_number_of_volumes(tmp_path: Path, volumes: int) -> None:
    data = write(tmp_path / "a.nii", scan(volumes))
    check(read(tmp_path / "a.nii"), data)


def test_a_drift_is_no_noise(tmp_path: Path) -> None:
    data = scan()
    flat = read_of(tmp_path, data)
    data[BOX] += np.linspace(-30, 30, 40)
    assert read_of(tmp_path, data).tsnr == pytest.approx(flat.tsnr, rel=1e-6)


def read_of(folder: Path, data: Volumes, dtype: str = "<f8") -> Statistics:
    write(folder / "a.nii", data, dtype)
    return read(folder / "a.nii")


def test_large_values_lose_no_precision(tmp_path: Path) -> None:
    data = scan() + 1e5
    steady = data - data.mean(axis=-1, keepdims=True)
    times = np.arange(40) - 19.5
    residuals = steady - (steady @ times / (times @ times))[..., None] * times
    ratios = data.mean(axis=-1) / np.sqrt((residuals**2).sum(axis=-1) / 38)
    assert read_of(tmp_path, data).tsnr == pytest.approx(float(np.median(ratios)), rel=1e-5)


@pytest.mark.parametrize("first", [[1.5], [1.4, 1.1, 1.05], [0.5]])
def test_volumes_before_the_steady_state_are_dropped(tmp_path: Path, first: list[float]) -> None:
    data = scan(drift=1)
    data[..., : len(first)] *= first
    check(read_of(tmp_path, data), data, dropped=len(first))


def test_a_volume_that_differs_later_is_not_dropped(tmp_path: Path) -> None:
    data = scan()
    data[..., 7] *= 1.5
    check(read_of(tmp_path, data), data)


def test_the_mask_of_a_long_scan_is_taken_from_the_whole_scan(tmp_path: Path) -> None:
    data = scan(130)
    data[..., :2] *= 1.5
    check(read_of(tmp_path, data), data, dropped=2)


def test_nan_and_infinite_voxels_are_outside_the_mask(tmp_path: Path) -> None:
    data = scan()
    clean = read_of(tmp_path, data, "<f4")
    data[:4], data[0, 0, 0], data[22, 1, 1] = np.nan, np.inf, -np.inf
    statistics = read_of(tmp_path, data, "<f4")
    assert (statistics.tsnr, statistics.global_signal) == (clean.tsnr, clean.global_signal)


def test_one_nan_value_affects_only_its_voxel(tmp_path: Path) -> None:
    data = scan()
    data[10, 10, 5, 20] = np.nan
    check(read_of(tmp_path, data), np.nan_to_num(data))


def test_a_constant_scan_has_a_global_signal_and_no_temporal_snr(tmp_path: Path) -> None:
    data = np.repeat(scan(1).round(), 12, axis=-1)
    statistics = read_of(tmp_path, data, "<i2")
    assert (statistics.tsnr, statistics.tsnr_limit) == (None, None)
    assert len(set(statistics.global_signal)) == 1


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(scan(1)[..., 0], id="one volume"),
        pytest.param(scan(9), id="nine volumes"),
        pytest.param(np.zeros((4, 4, 4, 20)), id="empty"),
        pytest.param(-scan(12), id="negative"),
        pytest.param(np.full((4, 4, 4, 20), np.nan), id="not a number"),
        pytest.param(np.full((4, 4, 4, 20), 1.7e308), id="too large to be added"),
    ],
)
def test_an_image_that_is_no_time_series_has_no_statistics(tmp_path: Path, data: Volumes) -> None:
    nib.save(nib.Nifti1Image(data, np.eye(4)), tmp_path / "a.nii")
    assert Statistics.read(str(tmp_path / "a.nii")) is None


def test_an_rgb_image_has_no_statistics(tmp_path: Path) -> None:
    data = np.zeros((8, 8, 4, 12), dtype=[(name, "u1") for name in "RGB"])
    nib.save(nib.Nifti1Image(data, np.eye(4)), tmp_path / "a.nii")
    assert Statistics.read(str(tmp_path / "a.nii")) is None


@pytest.mark.parametrize("content", [b"", b"no image", b"\x5c\x01\x00\x01" + bytes(344)])
def test_the_error_for_an_invalid_image_names_the_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.nii").write_bytes(content)
    with pytest.raises(OSError, match=r"a\.nii"):
        Statistics.read(str(tmp_path / "a.nii"))


def test_a_truncated_file_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "a.nii", scan())
    with (tmp_path / "a.nii").open("r+b") as file:
        file.truncate((tmp_path / "a.nii").stat().st_size - 1)
    with pytest.raises(OSError, match=r"a\.nii"):
        Statistics.read(str(tmp_path / "a.nii"))


def test_impossible_sizes_in_a_header_allocate_no_memory(tmp_path: Path) -> None:
    write(tmp_path / "a.nii", scan())
    content = bytearray((tmp_path / "a.nii").read_bytes())
    content[40:56] = np.array([7, 2, 1, 1, 32767, 32767, 32767, 32767], "<i2").tobytes()
    (tmp_path / "a.nii").write_bytes(content)
    with pytest.raises(OSError, match=r"a\.nii"):
        Statistics.read(str(tmp_path / "a.nii"))


def test_a_cancelled_run_stops(tmp_path: Path) -> None:
    write(tmp_path / "a.nii", scan())
    monitor = Monitor()
    monitor.cancel()
    with pytest.raises(CancelledError):
        Statistics.read(str(tmp_path / "a.nii"), monitor=monitor)


def test_no_slice_reaches_beyond_the_volume(tmp_path: Path) -> None:
    statistics = read_of(tmp_path, scan())
    last = int(np.prod(SHAPE)) - 1
    assert len(statistics.tsnr_slice([last], [0])) == len(statistics.mean_slice([last], [0])) == 1
    for rows in ([last + 1], [2**64 - 1]):
        with pytest.raises(OSError, match=r"a\.nii"):
            statistics.tsnr_slice(rows, [0, 1])
