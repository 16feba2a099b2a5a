"""`qxbatch inspect` of a packet compared with the facts that its import stored."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.build.study import run_main

BY_SIDECAR = {
    *("tr_ms", "ti_ms", "flip_angle_deg", "phase_encoding_direction", "phase_encoding_axis", "in_plane_acceleration"),
    *("multiband_factor", "partial_fourier", "effective_echo_spacing_s", "total_readout_time_s", "pixel_bandwidth_hz"),
    *("b_values", "directions", "sequence_name", "field_strength_t", "software", "coil"),
}
"""Facts whose last source is the converter's sidecar (docs/acquisition.md)."""


def differences(packet: Path, session: Path) -> list[str]:
    """Return where the packet's facts differ from its session's.

    Facts that only the sidecar has, and the axis of a known direction, may be in one of them only.
    """
    found, stored = _series(packet), _series(session)
    images = _with_sidecar(session)
    if len(found) != len(stored):
        return [f"{len(found)} series in the packet, {len(stored)} in the session"]
    pairs = zip(found, stored, images, strict=True)
    return [text for ours, theirs, converted in pairs for text in _differences(ours, theirs, converted=converted)]


def _series(path: Path) -> list[dict[str, Any]]:
    run = run_main("inspect", "--json", str(path))
    found: list[dict[str, Any]] = json.loads(run.out)["series"]
    return [{key: value for key, value in series.items() if key != "source"} for series in found]


def _with_sidecar(session: Path) -> list[bool]:
    summary = json.loads((session / "qxbatch" / "summary.json").read_bytes())
    beside = {image["series"] for image in summary["images"] for name in image["files"] if name.endswith(".json")}
    return [series["n"] in beside for series in summary["series"]]


def _differences(ours: dict[str, Any], theirs: dict[str, Any], *, converted: bool) -> Iterator[str]:
    name = f"{theirs.get('series_number')} {theirs.get('series_description', '')}"
    direction = theirs.get("phase_encoding_direction", "")
    for key in sorted(ours.keys() | theirs.keys()):
        value, other = ours.get(key), theirs.get(key)
        axis = key == "phase_encoding_axis" and other is None and direction[:1] == value
        absent = value is None and key in BY_SIDECAR and converted
        if value != other and not axis and not absent:
            yield f"{name}: {key} is {value} in the packet, {other} in the session"
