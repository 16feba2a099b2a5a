"""The results of a run as JSON values, which are compared with an expectation."""

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

from qxbatch.ledger_cells import escape
from qxbatch.os_error import error_text
from qxbatch.problems import Problem
from qxbatch.session.acquisition import acquisition_value
from qxbatch.session.folder import SessionFolder
from qxbatch.session.json_fields import Fields
from qxbatch.session.layout import ARCHIVED_PACKETS, MASTER_INBOX, SESSION_TXT, SUMMARY_AT
from qxbatch.session.ledger import Fate
from qxbatch.session.paths import SessionPaths
from qxbatch.session.summary_parts import ImageSummary, SeriesSummary, read_problem

SCHEMA = 2
"""The version of the form of these values."""
SIDECAR_FIELDS = (
    "Manufacturer",
    "ManufacturersModelName",
    "MagneticFieldStrength",
    "SeriesNumber",
    "SeriesDescription",
    "ProtocolName",
    "ImageType",
    "RepetitionTime",
    "EchoTime",
    "EchoNumber",
    "FlipAngle",
    "SliceThickness",
    "SliceTiming",
    "PhaseEncodingDirection",
    "PhaseEncodingAxis",
    "EffectiveEchoSpacing",
    "TotalReadoutTime",
    "DwellTime",
    "MultibandAccelerationFactor",
)
"""Fields of a converter's JSON that are compared: later programs use them. Others may change with each release of the converter."""
HEADER_FIELDS = (
    "SeriesNumber",
    "SeriesInstanceUID",
    "StudyInstanceUID",
    "SeriesDescription",
    "ProtocolName",
    "Modality",
)
"""DICOM keywords of the header of a series that are compared."""


def observe(sessions: Path, summary: dict[str, Any]) -> dict[str, Any]:
    """Return the results of a run: its summary (`summary`, from --json-file), and the content of the sessions folder.

    Raises LookupError and ValueError if the summary is not valid, and as `observed_session`.
    """
    folders = sorted(path.parent for path in sessions.glob(f"*/{SESSION_TXT}"))
    return {
        "schema": SCHEMA,
        "status": summary["exit_status"],
        "found": {
            Path(entry["path"]).name: f"{entry['verdict']} {entry['note']}".strip() for entry in summary["found"]
        },
        # a packet that failed has no session folder, so `-` stands for its name
        "failed": {
            entry["packet"]: sorted(
                _problem(read_problem(Fields(problem)), sessions / "-") for problem in entry["problems"]
            )
            for entry in summary["sessions"]
            if entry["folder"] is None
        },
        "sessions": {folder.name: observed_session(folder) for folder in folders},
        "archived": _names(sessions / ARCHIVED_PACKETS),
        "waiting": _names(sessions / MASTER_INBOX),
    }


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def observed_session(folder: Path) -> dict[str, Any]:
    """Return the content of a session folder. Raises ValueError without a usable summary or ledger, and OSError."""
    session = SessionFolder(folder)
    summary = session.summary
    if summary is None:
        raise ValueError(f"{folder}: has no {SUMMARY_AT}")
    # the first line contains version and time; the path is different in each run
    text = session.paths.session_txt.read_text(encoding="utf-8")
    lines = text.replace(str(folder.parent), "<sessions>").splitlines()[1:]
    return {
        "session_txt": lines,
        "series": {str(series.n): _series(series) for series in summary.series},
        "images": {str(image.number): _image(session.paths, image) for image in summary.images},
        "ledger": _ledger(session),
        "problems": sorted({_problem(problem, folder) for problem in summary.problems}),
    }


def _series(series: SeriesSummary) -> dict[str, Any]:
    header = {key: series.header[key] for key in HEADER_FIELDS if key in series.header}
    return {
        "kind": series.kind.value,
        "files": series.files,
        "state": series.state.value,
        "tool": series.tool.split()[:1],
        "verdict": series.verdict.value if series.verdict else None,
        "acquisition": _json_value(acquisition_value(series.acquisition)) if series.acquisition else None,
        **header,
    }


def _json_value(value: dict[str, Any]) -> Any:
    """Return a value as it is read from JSON: with texts instead of enum members, since `differences` also compares types."""
    return json.loads(json.dumps(value))


def _problem(problem: Problem, folder: Path) -> str:
    text = f"{problem.severity} {problem.code}: {problem.subject}: {problem.message}"
    return text.replace(str(folder), "<session>").replace(str(folder.parent), "<sessions>")


def _ledger(session: SessionFolder) -> dict[str, Any]:
    """Return the number of rows by kind and fate, the reasons of kept and refused members, and a hash of four cells of all rows."""
    rows = list(session.ledger())
    counts = Counter(f"{row.kind} {row.fate}" for row in rows)
    reasons = {row.path: escape(row.reason) for row in rows if row.reason and row.fate in (Fate.KEPT, Fate.REFUSED)}
    digest = hashlib.sha256()
    for text in sorted("\t".join((row.path, row.sha256, row.fate, escape(row.at))) for row in rows):
        digest.update(text.encode("utf-8", "surrogateescape") + b"\n")
    return {"counts": dict(sorted(counts.items())), "reasons": reasons, "rows": digest.hexdigest()}


def _image(paths: SessionPaths, image: ImageSummary) -> dict[str, Any]:
    values: dict[str, Any] = {"name": image.name, **image_values(paths.image(image.number))}
    if image.statistics is not None:
        tsnr = image.statistics.tsnr
        values["statistics"] = {"tsnr": tsnr and round(tsnr, 2), "dropped_volumes": image.statistics.dropped_volumes}
    for ending in ("bval", "bvec"):
        table = paths.image(image.number, ending)
        if table.is_file():
            rows = table.read_text(encoding="utf-8").splitlines()
            values[ending] = [[float(word) for word in row.split()] for row in rows if row.strip()]
    sidecar = paths.image(image.number, "json")
    if sidecar.is_file():
        fields = json.loads(sidecar.read_text(encoding="utf-8"))
        values["json"] = {key: fields[key] for key in SIDECAR_FIELDS if key in fields}
    return values


def image_values(path: Path) -> dict[str, Any]:
    """Return shape, type, scaling (slope, intercept), affine (3 x 4, mm) and the hash of the voxels of a NIfTI file.

    The hash is of the stored values, little endian, in the order of the file, without scaling. Raises ValueError if the file cannot
    be read.
    """
    import numpy as np
    from nibabel.arrayproxy import ArrayProxy
    from nibabel.nifti1 import Nifti1Image

    try:
        image = Nifti1Image.from_filename(path)
        proxy = image.dataobj
        assert isinstance(proxy, ArrayProxy)
        stored = np.asanyarray(proxy.get_unscaled())
    except Exception as error:  # a damaged file raises any of nibabel's, numpy's and zlib's exceptions
        raise ValueError(f"{path} cannot be read: {error_text(error, path)}") from error
    slope, inter = proxy.slope, proxy.inter
    little_endian = stored.astype(stored.dtype.newbyteorder("<"), copy=False)
    return {
        "shape": [int(length) for length in image.shape],
        "type": str(stored.dtype.name),
        "scaling": [float(slope), float(inter)],
        "affine": [[round(float(value), 6) for value in row] for row in image.affine[:3]],
        "voxels": hashlib.sha256(little_endian.tobytes(order="F")).hexdigest(),
    }
