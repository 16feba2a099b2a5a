"""Facts compared with other programs: the JSON references of the public sets, and PAR headers read by nibabel."""

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nibabel.parrec import PARRECHeader

from qxbatch.inspect.par import par_acquisition
from qxbatch.parrec.header import read_par
from tests.regression.acquisition import GROUP_DELAY, SIDECAR, Compared

OLD_DCM2NIIX = (
    "dcm2niix of 2021 wrote the reference; the present one gives twice the readout time for GE with acceleration 2."
)
DICM2NII = "dicm2nii wrote the reference: it names axes x and y, and its readout time is that of 256 lines, not of 64."
PLANES = "nibabel counts the slices of three planes; a localizer has three in each."
CAUSES = {
    ("tr_ms", "epiRT"): GROUP_DELAY,
    ("tr_ms", "fMRI Multiphase"): GROUP_DELAY,
    ("effective_echo_spacing_s", "Ax DWI TENSOR R2"): OLD_DCM2NIIX,
    ("total_readout_time_s", "Ax DWI TENSOR R2"): OLD_DCM2NIIX,
    ("total_readout_time_s", "ep2d_Asc_HF"): DICM2NII,
    ("phase_encoding_direction", "ep2d_Asc_HF"): DICM2NII,
    ("matrix", "NA.PAR"): PLANES,
}
"""Maps a field and the start of the series' name to the cause of a difference (docs/acquisition-check.md)."""


def unexplained(found: Iterator[Compared]) -> list[Compared]:
    """Return the facts that differ without a known cause."""
    differing = [one for one in found if not one.agrees]
    return [one for one in differing if not _has_known_cause(one)]


def _has_known_cause(one: Compared) -> bool:
    return any(one.field == field and one.series.startswith(start) for field, start in CAUSES)


def references(session: Path, folder: Path) -> Iterator[Compared]:
    """Yield each fact that a series and its reference both have; a reference belongs to the only series with its number and
    name.
    """
    summary = json.loads((session / "qxbatch" / "summary.json").read_text(encoding="utf-8"))
    judged = [series for series in summary["series"] if "acquisition" in series]
    for path in sorted(folder.rglob("*.json")):
        content = _json(path)
        found = [series for series in judged if _is_of(series["header"], content)]
        if len(found) == 1:
            yield from _of_reference(found[0], content)


def _json(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8", errors="replace"))
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _is_of(header: Mapping[str, Any], content: Mapping[str, Any]) -> bool:
    pairs = [("SeriesNumber", True), ("SeriesDescription", False), ("SeriesInstanceUID", False)]
    return all(_text(header.get(key)) == _text(content[key]) if key in content else not needed for key, needed in pairs)


def _text(value: object) -> str:
    return str(value).strip().replace(" ", "_")


def _of_reference(series: Mapping[str, Any], content: Mapping[str, Any]) -> Iterator[Compared]:
    ours, name = series["acquisition"], str(series["header"].get("SeriesDescription", ""))
    for field, (key, scale) in SIDECAR.items():
        if field in ours and isinstance(content.get(key), int | float):
            yield Compared(name, field, ours[field], content[key] * scale)
    if "phase_encoding_direction" in ours and "PhaseEncodingDirection" in content:
        yield Compared(
            name, "phase_encoding_direction", ours["phase_encoding_direction"], content["PhaseEncodingDirection"]
        )
    if "te_ms" in ours and isinstance(content.get("EchoTime"), int | float):
        echo = content["EchoTime"] * 1e3
        yield Compared(name, "te_ms", min(ours["te_ms"], key=lambda one: abs(one - echo)), echo)


def par_readings(par: Path) -> Iterator[Compared]:
    """Yield each fact of a PAR that nibabel reads too."""
    ours = par_acquisition(read_par(par))
    assert ours is not None, par
    with warnings.catch_warnings(), par.open(encoding="latin-1") as file:
        warnings.simplefilter("ignore")
        header = PARRECHeader.from_fileobj(file, permit_truncated=True)
        shape, zooms, images = header.get_data_shape(), header.get_zooms(), header.image_defs
    contrasts = len(set(images["echo number"])) * len(set(images["image_type_mr"]))
    volumes = (shape[3] if len(shape) > 3 else 1) // contrasts
    theirs: dict[str, Any] = {
        "matrix": list(shape[:3]),
        "voxel_mm": [float(side) for side in zooms[:3]],
        "acquired_volumes": volumes,
        "tr_ms": float(header.general_info["repetition_time"][0]),
        "te_ms": sorted({float(time) for time in images["echo_time"] if time}),
        "flip_angle_deg": float(images["image_flip_angle"][0]),
    }
    if ours.b_values:
        theirs["b_values"] = _counted(
            header.get_bvals_bvecs()[0] if _has_directions(images) else images["diffusion_b_factor"], volumes
        )
    for field, value in theirs.items():
        mine = getattr(ours, field)
        yield Compared(par.name, field, _listed(mine), value)


def _has_directions(images: Any) -> bool:
    return "diffusion" in (images.dtype.names or ())


def _counted(values: Sequence[float], volumes: int) -> list[list[float]]:
    """Return b-values with the number of their volumes, from a value for each volume or each image."""
    each = len(values) // volumes
    found = [float(value) for value in values]
    return [[value, found.count(value) // each] for value in sorted(set(found))]


def _listed(value: object) -> object:
    return [_listed(item) for item in value] if isinstance(value, tuple) else value
