"""Finished sessions, made without an import: summary, images and sidecars as qxbatch writes them."""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from qxbatch.acquisition import Acquisition, ImageKind, SeriesVerdict
from qxbatch.bids.decide.decision import decide
from qxbatch.bids.model import ExportPlan, RuleFile
from qxbatch.bids.rules.rule_file import read_rules
from qxbatch.model import SeriesKind, State
from qxbatch.problems import Problem
from qxbatch.session.folder import SessionFolder
from qxbatch.session.paths import SessionPaths
from qxbatch.session.summary import Summary
from qxbatch.session.summary_parts import ImageSummary, LedgerCounts, PacketSummary, SeriesSummary, SessionIdentity

DAY = "2024-05-06"
STUDY_UID = "1.2.826.0.1.3680043.2.1"
TOOL = "dcm2niix v1.0.20260724"
_WORDS = {"magnitude": "M", "phase": "P", "real": "R", "imaginary": "I"}


@dataclass(frozen=True)
class Image:
    """One image that a converter made of a series."""

    suffix: str = ""
    """As dcm2niix adds it to the name: `e2_ph`."""
    te: float | None = None
    """In ms; None: that of the series."""
    kind: str = ""
    """Empty: that of the series."""
    sidecar: Mapping[str, Any] = field(default_factory=dict)
    volumes: int | None = None
    """None: that of the series."""


@dataclass(frozen=True)
class Scan:
    """A series of a session."""

    number: int
    name: str
    start: str | None = "10:00:00"
    """Time of day; None: no header has a time."""
    seconds: float = 0.0
    """How long it took; 0: its end is not known."""
    kind: str = "magnitude"
    """magnitude, phase, real, imaginary, derived or localizer."""
    volumes: int = 1
    te: float | None = 30.0
    """In ms."""
    tr: float | None = 2000.0
    ti: float | None = None
    flip: float | None = 77.0
    images: Sequence[Image] = (Image(),)
    """Empty: a series without images."""
    guess: tuple[str, str] | None = None
    """BidsGuess: `("func", "bold")`."""
    sidecar: Mapping[str, Any] = field(default_factory=dict)
    header: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Further facts of the acquisition."""
    bvals: Sequence[float] = ()
    shape: tuple[int, int, int] = (4, 4, 3)
    verdict: SeriesVerdict = SeriesVerdict.COMPLETE
    state: State = State.CONVERTED
    source: SeriesKind = SeriesKind.DICOM
    problems: Sequence[Problem] = ()
    n: int = 0
    """0: ten times the number."""
    shim: Sequence[float] = ()


def session(
    folder: Path, name: str, *scans: Scan, subject: str = "", ses: str | None = None, study: str = STUDY_UID
) -> SessionFolder:
    """Write a session with these series into a sessions folder."""
    paths = SessionPaths(folder / name)
    for path in (paths.nii, paths.dicom, paths.qxbatch_folder, paths.inbox):
        path.mkdir(parents=True, exist_ok=True)
    summaries = [_write(paths, scan, study) for scan in sorted(scans, key=_n)]
    images = [image for _series, of_series in summaries for image in of_series]
    summary = Summary(
        qxbatch="1.0",
        session=SessionIdentity(name, subject or name, ses),
        packets=(PacketSummary(f"{name}.zip", 10, 1000),),
        series=tuple(series for series, _images in summaries),
        images=tuple(images),
        ledger=LedgerCounts(0),
    )
    paths.summary.write_text(summary.to_json())
    paths.session_txt.write_text(f"id: {name}\nsubject: {subject or name}\n")
    return SessionFolder(paths.folder)


def rules(folder: Path, text: str) -> RuleFile:
    """Return the rules of a text, written into a folder."""
    path = folder / "rules.toml"
    path.write_text(text)
    return read_rules(path)


def plan(folder: Path, text: str, *scans: Scan) -> ExportPlan:
    """Return the plan of one session S01 with these series, by the rules of a text."""
    (session_plan,) = decide([session(folder / "sessions", "S01", *scans)], rules(folder, text))
    return session_plan


def names(session_plan: ExportPlan) -> dict[int, str]:
    """Return data type and name of each exported image, without subject and session, by its number."""
    return {each.image.number: _short(session_plan, each.path) for each in session_plan.placed_images}


def _short(session_plan: ExportPlan, path: str) -> str:
    label = session_plan.session_label
    levels = [f"sub-{session_plan.subject_label}", *([f"ses-{label}"] if label else [])]
    datatype, _slash, name = path.removeprefix("/".join(levels) + "/").partition("/")
    return f"{datatype}/{name.removeprefix('_'.join(levels) + '_')}"


def _n(scan: Scan) -> int:
    return scan.n or 10 * scan.number


def _write(paths: SessionPaths, scan: Scan, study: str) -> tuple[SeriesSummary, list[ImageSummary]]:
    images = [_image(paths, scan, k, image) for k, image in enumerate(scan.images, 1)]
    echo_times = sorted({te for image in scan.images if (te := image.te or scan.te) is not None})
    kinds = {image.kind or scan.kind for image in scan.images} or {scan.kind}
    header: dict[str, Any] = {
        "Modality": "MR",
        "Manufacturer": "SIEMENS",
        "ManufacturerModelName": "Prisma",
        "SeriesDescription": scan.name,
        "ProtocolName": scan.name,
        "SeriesNumber": scan.number,
        "StudyInstanceUID": study,
        "SeriesInstanceUID": f"{study}.{_n(scan)}",
        "ImageType": _image_type(scan.kind),
        **scan.header,
    }
    started, ended = _times(scan)
    shape = (*scan.shape,)
    acquisition: dict[str, Any] = {
        "started": started,
        "ended": ended,
        "acquired_volumes": scan.volumes,
        "complete_volumes": scan.volumes,
        "tr_ms": scan.tr,
        "te_ms": tuple(echo_times) or None,
        "ti_ms": scan.ti,
        "flip_angle_deg": scan.flip,
        "matrix": shape,
        "voxel_mm": (3.0, 3.0, 3.0),
        "kinds": tuple(kind for kind in ImageKind if kind in kinds),
        "b_values": _shells(scan.bvals),
        **scan.facts,
    }
    series = SeriesSummary(
        n=_n(scan),
        kind=scan.source,
        files=1,
        size=1000,
        header={key: value for key, value in header.items() if value is not None},
        state=scan.state,
        tool=TOOL,
        images=tuple(image.number for image in images),
        problems=(*scan.problems,),
        verdict=scan.verdict,
        acquisition=Acquisition(**acquisition),
    )
    return series, images


def _image(paths: SessionPaths, scan: Scan, k: int, image: Image) -> ImageSummary:
    number, of = _n(scan) + k, len(scan.images)
    volumes = image.volumes or scan.volumes
    shape = scan.shape if volumes == 1 else (*scan.shape, volumes)
    paths.image(number).write_bytes(_nifti(shape))
    paths.image(number, "json").write_text(json.dumps(_sidecar(scan, image)))
    files = [f"nii/{number}.nii.gz", f"nii/{number}.json"]
    if scan.bvals:
        paths.image(number, "bval").write_text(" ".join(f"{b:g}" for b in scan.bvals) + "\n")
        rows = [" ".join("1" if row == axis and b else "0" for row, b in enumerate(scan.bvals)) for axis in range(3)]
        paths.image(number, "bvec").write_text("\n".join(rows) + "\n")
        files += [f"nii/{number}.bval", f"nii/{number}.bvec"]
    label = " ".join([scan.name, *([f"[{k}/{of}]"] if of > 1 else []), *([image.suffix] if image.suffix else [])])
    return ImageSummary(number, _n(scan), k, of, label, {}, shape, tuple(files))


def _sidecar(scan: Scan, image: Image) -> dict[str, Any]:
    te, kind = image.te or scan.te, image.kind or scan.kind
    words = [*_image_type(kind), *([kind.upper()] if kind in _WORDS else [])]
    known: dict[str, Any] = {
        "Modality": "MR",
        "Manufacturer": "Siemens",
        "ManufacturersModelName": "Prisma",
        "MagneticFieldStrength": 3,
        "SeriesDescription": scan.name,
        "ImageType": words,
        "EchoTime": None if te is None else te / 1000,
        "RepetitionTime": None if scan.tr is None else scan.tr / 1000,
        "InversionTime": None if scan.ti is None else scan.ti / 1000,
        "FlipAngle": scan.flip,
        "AcquisitionTime": scan.start,
        "ShimSetting": [*scan.shim] or None,
        "BidsGuess": None if scan.guess is None else [scan.guess[0], f"_{scan.guess[1]}"],
    }
    given = {**known, **scan.sidecar, **image.sidecar}
    return {key: value for key, value in given.items() if value is not None}


def _image_type(kind: str) -> list[str]:
    if kind == "derived":
        return ["DERIVED", "PRIMARY", "M"]
    if kind == "localizer":
        return ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    return ["ORIGINAL", "PRIMARY", _WORDS.get(kind, "OTHER")]


def _times(scan: Scan) -> tuple[str | None, str | None]:
    if scan.start is None:
        return None, None
    start = datetime.fromisoformat(f"{DAY}T{scan.start}")
    end = start + timedelta(seconds=scan.seconds)
    return start.isoformat(), end.isoformat() if scan.seconds else None


def _shells(bvals: Sequence[float]) -> tuple[tuple[float, int], ...] | None:
    counts = {b: [*bvals].count(b) for b in sorted(set(bvals))}
    return tuple(counts.items()) or None


@lru_cache
def _nifti(shape: tuple[int, ...]) -> bytes:
    affine = np.diag([3.0, 3.0, 3.0, 1.0])
    image = nib.Nifti1Image(np.zeros(shape, np.int16), affine)
    image.header.set_xyzt_units("mm", "sec")
    if len(shape) > 3:
        image.header["pixdim"][4] = 2.0
    return gzip.compress(image.to_bytes(), mtime=0)
