"""Images compared with other sources: Ref's tables and JSON, ground truths, nibabel's reading of PAR/REC."""

import gzip
import hashlib
import json
import tarfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel import parrec

from tests.build.packets import untar

FIELDS = ("RepetitionTime", "EchoTime", "FlipAngle", "PhaseEncodingDirection", "SliceTiming", "TotalReadoutTime")
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Loaded:
    """An image of a session."""

    path: Path
    of_par: bool

    @cached_property
    def volumes(self) -> list[Array]:
        """Return its volumes, scaled, with their axes along those of the patient."""
        return volumes(nibabel.load(self.path))

    @cached_property
    def sidecar(self) -> dict[str, Any]:
        """Return its JSON; empty if it has none."""
        path = self.beside("json")
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def beside(self, ending: str) -> Path:
        """Return its file with another extension."""
        return self.path.with_name(f"{self.path.name.partition('.')[0]}.{ending}")


def load(path: Path) -> Loaded:
    """Return an image, and whether it was converted from a PAR."""
    n = int(path.name.partition(".")[0]) // 10 * 10
    archive = path.parent.parent / "dicom" / f"{n}.tar.gz"
    with tarfile.open(archive) as tar:
        return Loaded(path, any(name.upper().endswith(".PAR") for name in tar.getnames()))


def raw_hash(path: Path) -> str:
    """Return the hash of the voxels' bytes in a little-endian NIfTI file, read without nibabel."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    offset = int(np.frombuffer(data, "<f4", 1, 108)[0])
    shape = np.frombuffer(data, "<i2", 8, 40)
    size = int(np.prod([int(length) for length in shape[1 : 1 + shape[0]]])) * int(np.frombuffer(data, "<i2", 1, 72)[0])
    return hashlib.sha256(data[offset : offset + size // 8]).hexdigest()


def volumes(image: Any) -> list[Array]:
    """Return an image's volumes with their axes along those of the patient."""
    data = np.asanyarray(nibabel.as_closest_canonical(image).dataobj)
    if data.dtype.fields:
        return []
    flat = data.reshape((*data.shape[:3], -1)) if data.ndim > 2 else data[:, :, None, None]
    return [flat[..., k] for k in range(flat.shape[3])]


def is_equal(one: Array, other: Array) -> bool:
    """Return whether two volumes are equal within a thousandth of the largest absolute value of the second."""
    if one.shape != other.shape:
        return False
    largest = float(np.max(np.abs(other))) or 1.0
    return bool(np.allclose(one, other, rtol=0, atol=1e-3 * largest))


def is_proportional(one: Array, other: Array) -> bool:
    """Return whether a volume equals another one up to a factor."""
    if one.shape != other.shape or not np.any(other):
        return False
    plain = other.astype(float)
    return is_equal(one, plain * (np.sum(one * plain) / np.sum(plain * plain)))


def ground_truth(folder: Path, images: dict[str, Loaded], remarks: list[str]) -> list[str]:
    """Compare with *_ground_truth.nii.gz: volume by volume, axes along the patient's, up to one factor.

    The truths are scaled for display, the images as Philips defines the values. Volumes of zeros are skipped.
    """
    paths = sorted(folder.rglob("*_ground_truth.nii.gz"))
    equal = total = 0
    for path in paths:
        truth = [volume for volume in volumes(nibabel.load(path)) if np.any(volume)]
        hits = max(
            sum(any(is_proportional(ours, one) for ours in image.volumes) for one in truth) for image in images.values()
        )
        equal, total = equal + hits, total + len(truth)
        if hits < len(truth):
            remarks.append(f"{path.relative_to(folder)}: no image has these volumes")
    return [f"ground truth: {equal} of {total} volumes equal"] if paths else []


def par_volumes(study: Path, images: dict[str, Loaded], remarks: list[str]) -> list[str]:
    """Compare each volume that nibabel reads from a sorted PAR/REC with those of the images of its series."""
    total = equal = 0
    unread = []
    for archive in sorted(study.glob("*/dicom/*.tar.gz")):
        with tarfile.open(archive) as tar:
            pars = [name for name in tar.getnames() if name.upper().endswith(".PAR")]
            if not pars or not any(name.upper().endswith(".REC") for name in tar.getnames()):
                continue
            folder = study / "pars" / archive.name
            untar(tar, folder)
        n = int(archive.name.partition(".")[0])
        made = [v for name, i in images.items() if int(name.partition(".")[0]) // 10 * 10 == n for v in i.volumes]
        try:
            read = [
                volumes(parrec.load(str(folder / pars[0]), permit_truncated=True, scaling=kind))
                for kind in ("dv", "fp")
            ]
        except parrec.PARRECError as error:
            of_series = [i.path for name, i in images.items() if int(name.partition(".")[0]) // 10 * 10 == n]
            relation = "equal" if _have_values_of_rec(folder / pars[0], of_series) else "DIFFER FROM"
            unread.append(
                f"nibabel does not read {Path(pars[0]).name} ({error}): stored values {relation} those of its REC"
            )
            continue
        for readings in zip(*read, strict=True):
            hit = any(is_equal(volume, one) for volume in made for one in readings)
            total += 1
            equal += hit
            if not hit:
                remarks.append(f"{pars[0]}: a volume that nibabel reads is in no image of series {n}")
    results = [f"PAR/REC as nibabel reads them: {equal} of {total} volumes equal"] if total else []
    return [*results, *unread]


def _have_values_of_rec(par: Path, paths: list[Path]) -> bool:
    """Return whether images contain the exact values of a 16-bit REC, at any position."""
    (rec,) = (path for path in par.parent.rglob("*") if path.suffix.upper() == ".REC")
    proxies: list[Any] = [nibabel.nifti1.Nifti1Image.from_filename(path).dataobj for path in paths]
    ours = np.concatenate([np.asarray(proxy.get_unscaled()).ravel() for proxy in proxies])
    return bool(np.array_equal(np.sort(ours), np.sort(np.frombuffer(rec.read_bytes(), "<i2"))))


def reference_tables(folder: Path, images: dict[str, Loaded], remarks: list[str]) -> list[str]:
    """Compare bval, bvec and JSON of Ref with those of some image."""
    results = []
    for ending in ("bval", "bvec"):
        paths = sorted(folder.glob(f"*.{ending}"))
        ours = [np.loadtxt(image.beside(ending)) for image in images.values() if image.beside(ending).exists()]
        unequal = [path.name for path in paths if not _is_among(np.loadtxt(path), ours)]
        remarks += [f"{name}: no image has these values" for name in unequal]
        results += [f"{ending}: {len(paths) - len(unequal)} of {len(paths)} equal"] if paths else []
    paths = sorted([*folder.glob("*.json"), *folder.glob("*.json.gz")])
    equal = absent = 0
    for path in paths:
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        wanted = json.loads(text)
        near = [
            image.sidecar
            for image in images.values()
            if all(
                image.sidecar.get(k, wanted.get(k)) == wanted.get(k)
                for k in ("SeriesNumber", "SeriesDescription", "EchoNumber")
            )
        ]
        if not near:
            absent += 1
        elif any(not fields(wanted, one) for one in near):
            equal += 1
        else:
            _, fewest = min((len(found), found) for found in (fields(wanted, one) for one in near))
            remarks.append(f"{path.name}: differs in {', '.join(fewest)}")
    return [*results, f"JSON: {equal} of {len(paths) - absent} equal, {absent} without input"] if paths else results


def _is_among(wanted: Array, ours: list[Array]) -> bool:
    return any(one.shape == wanted.shape and np.allclose(one, wanted, atol=1e-4) for one in ours)


def fields(wanted: dict[str, Any], results: dict[str, Any]) -> list[str]:
    """Return the fields of FIELDS that both have with different values."""
    both = [field for field in FIELDS if field in wanted and field in results]
    numbers = {field: (wanted[field], results[field]) for field in both}
    return [field for field, (one, other) in numbers.items() if not _is_near(one, other)]


def _is_near(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and bool(np.allclose(one, other, atol=1e-3))
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    return bool(np.isclose(one, other, atol=1e-5)) if numbers else bool(one == other)
