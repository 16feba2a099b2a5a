"""The time between the volumes of a PAR's images, and RepetitionTime; both are added where a converter leaves them out."""

import json
import struct
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median

from qxbatch.convert.nifti import Nifti, read_nifti, time_fields
from qxbatch.convert.par_pair import ParPair
from qxbatch.inspect.observed import read_sidecar
from qxbatch.model import Output
from qxbatch.parrec.header import ParHeader

_TOLERANCE = 0.05
"""Largest difference between RepetitionTime and the time of a volume in a dynamic scan that rounding explains, s."""


def repetition_time(header: ParHeader) -> float:
    """Return the repetition time in s; 0 if the PAR has none, or several."""
    times = set(header.floats("repetition time"))
    return times.pop() / 1000 if len(times) == 1 else 0.0


def time_between_volumes(header: ParHeader, volumes: int, lines: Iterable[int]) -> float:
    """Return the time between the volumes of an image in s; 0 if it is not known.

    - Cardiac phases of one dynamic scan: the interval of their trigger times. Of several dynamic scans, it is not known.
    - Other volumes: the interval of the dynamic scans, divided by the number of volumes in each. If it equals RepetitionTime except
      for rounding, RepetitionTime is returned, which has more digits. In a 3D scan, they differ: RepetitionTime is the time between
      excitations.
    - If the interval of the dynamic scans is not known: RepetitionTime.

    `lines` are indices of image lines, from 0, at least one for each volume.
    """
    image_header = replace(header, lines=tuple(header.lines[line] for line in lines))
    repetition, starts = repetition_time(header), _different_values(image_header, "dyn_scan_begin_time")
    if len(starts) < volumes and len(_different_values(image_header, "cardiac phase number")) > 1:
        return _time_between_phases(image_header, volumes) if len(starts) <= 1 else 0.0
    if not 1 < len(starts) <= volumes:
        return repetition
    interval = _median_interval(starts) / round(volumes / len(starts))
    return repetition if abs(interval - repetition) <= _TOLERANCE else interval


def _time_between_phases(header: ParHeader, volumes: int) -> float:
    """Return the median interval of the trigger times in s; 0 unless each volume has a different one."""
    times = _different_values(header, "trigger_time")
    return _median_interval(times) / 1000 if len(times) == volumes else 0.0


def _median_interval(times: list[float]) -> float:
    return float(median(after - before for before, after in pairwise(times)))


def _different_values(header: ParHeader, name: str) -> list[float]:
    """Return the different values of a column, sorted; empty if it does not exist, or if a line has no number there."""
    try:
        return sorted({value for value, *_ in header.column(name)})
    except ValueError:
        return []


def json_number(value: float) -> float | int | None:
    """Return a number as dcm2niix writes it, 2 and not 2.0; None for 0, which a PAR writes for unknown."""
    shortest = float(f"{value:.6g}")
    return None if shortest == 0 else int(shortest) if shortest.is_integer() else shortest


def write_missing_times(pair: ParPair, outputs: Sequence[Output]) -> None:
    """Write the time between volumes into images whose header has none, and RepetitionTime into sidecars without it.

    Raises OSError, and ValueError when an image cannot be read.
    """
    seconds = repetition_time(pair.header)
    for output in outputs:
        image = read_nifti(output.nifti)
        if image.volumes > 1 and not image.time_step:
            step = time_between_volumes(pair.header, image.volumes, _lines_of(pair, output, image.volumes))
            _write_time_step(output.nifti, image, step)
        if "json" in output.sidecars and seconds:
            _write_repetition_time(output.sidecars["json"], seconds)


def _lines_of(pair: ParPair, output: Output, volumes: int) -> Iterable[int]:
    """Return the index of one line of each volume of an image.

    The lines are those of an image of the PAR (`ParPair.images`) with as many volumes, if possible the one with the same suffix. If
    there is no such image, the indices of all lines are returned.
    """
    try:
        candidates = [image for image in pair.images if len(image.line_indices) == volumes * image.shape[2]]
    except Exception:  # noqa: BLE001  a damaged table raises any of nibabel's and numpy's exceptions
        candidates = []
    image = min(candidates, key=lambda candidate: candidate.suffix != output.suffix, default=None)
    return image.line_indices[:: image.shape[2]].tolist() if image else range(len(pair.header.lines))


def _write_time_step(path: Path, image: Nifti, seconds: float) -> None:
    with path.open("r+b") as file:
        for offset, character, value in time_fields(image, seconds):
            file.seek(offset)
            file.write(struct.pack(image.byte_order + character, value))


def _write_repetition_time(path: Path, seconds: float) -> None:
    sidecar = dict(read_sidecar(path))
    if sidecar and "RepetitionTime" not in sidecar:
        sidecar["RepetitionTime"] = json_number(seconds)
        path.write_text(json.dumps(sidecar, indent="\t", ensure_ascii=False) + "\n", encoding="utf-8")
