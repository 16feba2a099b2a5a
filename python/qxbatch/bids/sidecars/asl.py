"""What BIDS requires of arterial spin labelling besides the header: volume types, and fields that follow from them and M0 scans."""

from collections.abc import Sequence
from typing import Any

from qxbatch.bids.images.acquisition_time import acquisition_interval
from qxbatch.bids.model import PlacedImage
from qxbatch.bids.schema.image_path import ImagePath

M0, CONTROL, LABEL = "m0scan", "control", "label"
_VOLUME_AXIS = 3
"""Index of the axis of volumes in an image's shape."""


def volume_types(placed: PlacedImage) -> tuple[str, ...] | None:
    """Return the type of each volume by the rule's `context`; None if the rule has no context, or one that does not fit.

    A context with as many types as volumes is used as it is. Otherwise each `m0scan` at the beginning is used once, and the
    remaining types are repeated until every volume has a type.
    """
    context, volumes = placed.rule.context, _volumes(placed)
    if not context or len(context) == volumes:
        return context or None
    first = next((k for k, kind in enumerate(context) if kind != M0), len(context))
    head, pattern = context[:first], context[first:]
    times, remaining = divmod(volumes - len(head), len(pattern)) if pattern else (0, 1)
    return (*head, *(pattern * times)) if remaining == 0 and times > 0 else None


def context_bytes(types: Sequence[str]) -> bytes:
    """Return aslcontext.tsv as bytes."""
    return "".join(f"{line}\n" for line in ("volume_type", *types)).encode()


def context_problem(placed: PlacedImage) -> str:
    """Return why an ASL image has no volume types, and what to write; empty if it has them, and for other images."""
    if ImagePath.of(placed.path).suffix != "asl" or volume_types(placed) is not None:
        return ""
    if not placed.rule.context:
        return f'{placed.path}: aslcontext.tsv needs the type of each volume. Write context = ["control", "label"] in its rule.'
    return (
        f"{placed.path}: context has {len(placed.rule.context)} volume types, which do not fit the {_volumes(placed)} volumes. "
        "Give one for each volume, or a pattern that is repeated."
    )


def asl_fields(placed: PlacedImage, all_images: Sequence[PlacedImage]) -> dict[str, Any]:
    """Return M0Type of an ASL image, and TotalAcquiredPairs if it has as many controls as labels; empty for other images.

    `all_images` are the images of the session.
    """
    name = ImagePath.of(placed.path)
    if name.suffix != "asl":
        return {}
    types = volume_types(placed) or ()
    has_m0_scan = any(ImagePath.of(image.path).suffix == M0 for image in all_images)
    fields: dict[str, Any] = {"M0Type": "Included" if M0 in types else "Separate" if has_m0_scan else "Absent"}
    if types.count(LABEL) and types.count(LABEL) == types.count(CONTROL):
        fields["TotalAcquiredPairs"] = types.count(LABEL)
    return fields


def asl_paths_of_m0(placed: PlacedImage, all_images: Sequence[PlacedImage]) -> list[str]:
    """Return the paths of the ASL images of which `placed` is the M0 scan that is nearest in time.

    `all_images` are the images of the session, including `placed`.
    """
    asl = [image for image in all_images if ImagePath.of(image.path).suffix == "asl"]
    names = ((image, ImagePath.of(image.path)) for image in all_images)
    scans = [image for image, name in names if (name.datatype, name.suffix) == ("perf", M0)]
    return [image.path for image in asl if min(scans, key=lambda scan: (_gap(scan, image), scan.path)) == placed]


def _gap(first: PlacedImage, second: PlacedImage) -> float:
    times = acquisition_interval(first.image), acquisition_interval(second.image)
    return times[0].gap(times[1]) if times[0] and times[1] else float("inf")


def _volumes(placed: PlacedImage) -> int:
    shape = placed.image.summary.shape
    return shape[_VOLUME_AXIS] if len(shape) > _VOLUME_AXIS else 1
