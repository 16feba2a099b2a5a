"""The headers, frames and sidecars from which the acquisition facts of a series are computed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qxbatch.core import AcquiredStacks, Stack
from qxbatch.inspect.plausible import is_plausible
from qxbatch.model import HeaderLike, Output
from qxbatch.textfile import read_text


@dataclass(frozen=True)
class ObservedSeries:
    """The sources of the acquisition facts of a DICOM series: its frames, its header, the sidecars of its images."""

    acquired_stacks: AcquiredStacks
    """The stacks of all files, also of derived images, and values of the first header with an image."""
    header: HeaderLike
    """Header of the series, by DICOM keyword."""
    sidecar: Mapping[str, Any] = field(default_factory=dict)
    """The JSON of the first image that has one; empty if there is none."""
    b_values: tuple[float, ...] = ()
    """Values of the .bval; empty unless exactly one image has one."""
    b_vectors: tuple[tuple[float, ...], ...] = ()
    """Vectors of the .bvec of that image, one for each volume."""

    @property
    def main_stack(self) -> Stack | None:
        """Return the stack with most frames; None without an image."""
        return next(iter(self.acquired_stacks.stacks), None)

    def number(self, *names: str, sidecar: str = "", scale: float = 1.0) -> float | None:
        """Return the first of these numbers in the first header with an image, else that of the sidecar times `scale`.

        0 counts as absent. None if there is no number.
        """
        numbers = (self.acquired_stacks.header_numbers.get(name, [None])[0] for name in names)
        value = next((number for number in numbers if number), None)
        if value is None and sidecar:
            sidecar_value = self.sidecar.get(sidecar)
            if (
                isinstance(sidecar_value, int | float)
                and not isinstance(sidecar_value, bool)
                and is_plausible(sidecar_value)
                and sidecar_value
            ):
                return sidecar_value * scale
        return value

    def text(self, *names: str, sidecar: str = "") -> str | None:
        """Return the first of these texts in the first header with an image, else that of the sidecar; None without one."""
        value = next(
            (self.acquired_stacks.header_texts[name] for name in names if self.acquired_stacks.header_texts.get(name)),
            None,
        )
        if value is None and sidecar and isinstance(self.sidecar.get(sidecar), str):
            value = self.sidecar[sidecar]
        return value or None

    def header_text(self, name: str) -> str:
        """Return a field of `header` as text, several values joined by a backslash; empty when absent."""
        value = self.header.get(name)
        return "\\".join(map(str, value)) if isinstance(value, list) else str(value or "").strip()


def observe(acquired_stacks: AcquiredStacks, header: HeaderLike, outputs: Sequence[Output]) -> ObservedSeries:
    """Return the sources of the facts; reads the sidecars of `outputs`, the images of the series (none if it was not converted)."""
    jsons = [output.sidecars["json"] for output in outputs if "json" in output.sidecars]
    tables = [output.sidecars for output in outputs if "bval" in output.sidecars]
    values: Sequence[Sequence[float]] = _rows(tables[0]["bval"]) if len(tables) == 1 else []
    vectors = _rows(tables[0]["bvec"]) if len(tables) == 1 and "bvec" in tables[0] else []
    return ObservedSeries(
        acquired_stacks,
        header,
        read_sidecar(jsons[0] if jsons else None),
        tuple(values[0]) if len(values) == 1 else (),
        tuple(zip(*vectors, strict=True)) if len({len(row) for row in vectors}) == 1 else (),
    )


def read_sidecar(path: Path | None) -> Mapping[str, Any]:
    """Return the JSON that a converter wrote beside an image; empty if it is missing or cannot be read."""
    if path is None:
        return {}
    try:
        value = json.loads(read_text(path, "replace"))
    except (ValueError, OSError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _rows(path: Path) -> list[list[float]]:
    """Return the numbers of each line of a .bval or .bvec; empty if it cannot be read."""
    try:
        lines = read_text(path, "replace").encode("ascii", "replace").decode("ascii").splitlines()
        return [[float(word) for word in line.split()] for line in lines if line.strip()]
    except (ValueError, OSError):
        return []
