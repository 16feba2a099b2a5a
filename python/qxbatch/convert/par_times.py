"""The time between the volumes of a PAR's images, and RepetitionTime, where a converter leaves them out.

dcm2niix writes neither for a PAR with several volumes, echoes or image types.
"""

import json
import struct
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median

from qxbatch.convert.nifti import Nifti, read_nifti, time_fields
from qxbatch.inspect.observed import read_sidecar
from qxbatch.model import Output
from qxbatch.parrec.header import ParHeader

_TOLERANCE = 0.05
"""Largest difference between RepetitionTime and the interval of the dynamic scans that rounding explains, s."""


def repetition_time(header: ParHeader) -> float:
    """Return the repetition time in s; 0 if the PAR has none, or several."""
    times = set(header.floats("repetition time"))
    return times.pop() / 1000 if len(times) == 1 else 0.0


def time_between_volumes(header: ParHeader, volumes: int) -> float:
    """Return the time between the volumes of an image in s: RepetitionTime, unless the dynamic scans began at other times.

    Return 0 if it is not known. In a 3D scan RepetitionTime is that of an excitation.
    """
    repetition = repetition_time(header)
    starts = _starts_of_dynamic_scans(header)
    if len(starts) < 2 or volumes % len(starts):  # noqa: PLR2004 (an interval has two ends)
        return repetition
    interval = median(after - before for before, after in pairwise(starts)) * len(starts) / volumes
    return repetition if abs(interval - repetition) <= _TOLERANCE else float(interval)


def _starts_of_dynamic_scans(header: ParHeader) -> list[float]:
    """Return the different times in s, sorted; empty if a line has no number there."""
    try:
        return sorted({start for start, *_ in header.column("dyn_scan_begin_time")})
    except ValueError:
        return []


def json_number(value: float) -> float | int | None:
    """Return a number as dcm2niix writes it, 2 and not 2.0; None for 0, which a PAR writes for unknown."""
    shortest = float(f"{value:.6g}")
    return None if shortest == 0 else int(shortest) if shortest.is_integer() else shortest


def write_missing_times(header: ParHeader, outputs: Sequence[Output]) -> None:
    """Write the time between volumes into images whose header has none, and RepetitionTime into sidecars without it.

    Raises OSError, and ValueError when an image cannot be read.
    """
    seconds = repetition_time(header)
    for output in outputs:
        image = read_nifti(output.nifti)
        if image.volumes > 1 and not image.time_step:
            _write_time_step(output.nifti, image, time_between_volumes(header, image.volumes))
        if "json" in output.sidecars and seconds:
            _write_repetition_time(output.sidecars["json"], seconds)


def _write_time_step(path: Path, image: Nifti, seconds: float) -> None:
    with path.open("r+b") as file:
        for offset, form, value in time_fields(image, seconds):
            file.seek(offset)
            file.write(struct.pack(image.byte_order + form, value))


def _write_repetition_time(path: Path, seconds: float) -> None:
    sidecar = dict(read_sidecar(path))
    if sidecar and "RepetitionTime" not in sidecar:
        sidecar["RepetitionTime"] = json_number(seconds)
        path.write_text(json.dumps(sidecar, indent="\t", ensure_ascii=False) + "\n", encoding="utf-8")
