"""Sidecars as BIDS requires them: those of the session, completed. Images are read only where their times are in doubt."""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from qxbatch.bids.images.numbers import is_plausible_number
from qxbatch.bids.model import ExportImage, PlacedImage
from qxbatch.bids.schema.image_path import ImagePath
from qxbatch.bids.schema.required import repetition_fields
from qxbatch.bids.sidecars.absent import AbsentFieldFinder, absent_field_finder
from qxbatch.bids.sidecars.asl import asl_fields
from qxbatch.bids.sidecars.identifying import without_identifying_fields
from qxbatch.bids.sidecars.timing import EXCLUDED_BY_VOLUME_TIMING, timing_correction

_HERTZ = ("GE", "PHILIPS")
"""Makers whose direct field maps are in Hz."""
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


class Sidecars(NamedTuple):
    """The sidecars of a session."""

    fields: Mapping[str, Mapping[str, Any]]
    """Fields and their values, by the path of the image without extension."""
    warnings: tuple[str, ...]


def bids_sidecars(
    images: Sequence[PlacedImage], links: Mapping[str, Mapping[str, Any]], *, keep_identifying: bool = False
) -> Sidecars:
    """Return the sidecars of all images.

    `links` are the fields that link field maps and M0 scans to other images, by the path of the image that gets them. Unless
    `keep_identifying` is set, identifying fields of the sessions' sidecars are omitted.

    Fields that the rule sets take precedence. Then `links`, TaskName, MTState and, for BOLD, the fields of `timing_correction`
    replace fields of the session's sidecar. VolumeTiming also removes those that BIDS does not allow beside it. Other fields are
    added only if they are missing.
    """
    sidecars: dict[str, dict[str, Any]] = {}
    warnings: list[str] = []
    finder = absent_field_finder()
    for placed_image in images:
        fields = dict(placed_image.image.sidecar)
        if not keep_identifying:
            fields = without_identifying_fields(fields)
        added_fields = _added_fields(placed_image, images)
        timing = timing_correction(placed_image.image) if ImagePath.of(placed_image.path).suffix == "bold" else None
        if timing is not None:
            excluded = EXCLUDED_BY_VOLUME_TIMING if "VolumeTiming" in timing.fields else ()
            fields = {key: value for key, value in fields.items() if key not in excluded} | timing.fields
            warnings.append(f"{placed_image.path}: {timing.warning}")
        sidecars[placed_image.path] = {
            **fields,
            **added_fields,
            **links.get(placed_image.path, {}),
            **placed_image.rule.sidecar_fields,
        }
        warnings += _absent_field_warnings(placed_image, sidecars[placed_image.path], finder)
    return Sidecars(sidecars, tuple(warnings))


def sidecar_bytes(fields: Mapping[str, Any]) -> bytes:
    """Return the bytes of a sidecar, a field in each line. Fields with a number that JSON does not have (NaN) are omitted."""
    lines = ",\n".join(_lines(fields))
    return f"{{\n{lines}\n}}\n".encode("utf-8", "backslashreplace")


def _lines(fields: Mapping[str, Any]) -> Iterator[str]:
    for key, value in fields.items():
        with contextlib.suppress(ValueError):
            yield f"  {_ENCODER.encode(key)}: {_ENCODER.encode(value)}"


def _added_fields(placed: PlacedImage, all_images: Sequence[PlacedImage]) -> dict[str, Any]:
    """Return TaskName and MTState by the entities of an image, and other fields that BIDS requires if its sidecar lacks them.

    `all_images` are the images of the session.
    """
    name = ImagePath.of(placed.path)
    fields: dict[str, Any] = {}
    if "task" in name.entities:
        fields["TaskName"] = name.entities["task"]
    if "mt" in name.entities:
        fields["MTState"] = name.entities["mt"] == "on"
    if name.entities.get("part") == "phase" or (
        name.datatype == "fmap" and name.suffix in ("phasediff", "phase1", "phase2")
    ):
        fields["Units"] = "arbitrary"
    if name.suffix == "fieldmap" and _maker(placed.image).startswith(_HERTZ):
        fields["Units"] = "Hz"
    if name.suffix == "phasediff":
        fields |= _echo_times(placed, all_images)
    fields |= repetition_fields(name.suffix, placed.image.sidecar)
    if name.datatype == "perf":
        fields |= asl_fields(placed, all_images)
    sidecar = placed.image.sidecar
    return {key: value for key, value in fields.items() if key not in sidecar or key in ("TaskName", "MTState")}


def _maker(image: ExportImage) -> str:
    header = image.series.header
    return str(image.sidecar.get("Manufacturer") or header.get("Manufacturer") or "").upper()


def _echo_times(placed: PlacedImage, all_images: Sequence[PlacedImage]) -> dict[str, Any]:
    """Return EchoTime1 and EchoTime2 of a phase difference; empty unless it and its magnitude images have exactly two times."""
    key = ImagePath.of(placed.path).group_key()
    times = set()
    for image in all_images:
        name = ImagePath.of(image.path)
        if (
            name.datatype == "fmap"
            and name.group_key() == key
            and name.suffix in ("magnitude1", "magnitude2", "phasediff")
        ):
            times |= _echo_times_of(image.image)
    if len(times) != 2:  # noqa: PLR2004 - a difference is of two
        return {}
    return {"EchoTime1": min(times), "EchoTime2": max(times)}


def _echo_times_of(image: ExportImage) -> set[float]:
    """Return the echo time of an image in seconds; empty if it is not known."""
    time = image.sidecar.get("EchoTime")
    return {round(float(time), 6)} if is_plausible_number(time) else set()


def _absent_field_warnings(placed: PlacedImage, fields: Mapping[str, Any], finder: AbsentFieldFinder) -> list[str]:
    """Return a warning about required fields that are missing, with what to write; empty if none is missing."""
    name = ImagePath.of(placed.path)
    missing = finder.absent_fields(name.datatype, name.suffix, fields)
    if not missing:
        return []
    sets = ", ".join(f"{key} = ..." for key in missing)
    return [
        f"{placed.path}: BIDS requires {', '.join(missing)}, which no header has. Write set = {{ {sets} }} in its rule."
    ]
