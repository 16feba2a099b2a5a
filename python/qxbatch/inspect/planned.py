"""The planned numbers of volumes and slices, from standard elements and vendors' private ones."""

from collections import Counter
from collections.abc import Sequence

from qxbatch.core import Stack
from qxbatch.inspect.observed import ObservedSeries

_PROTOCOL_EXISTS = "Protocol.read"
"""Name of the text that the core sets if the header contains the protocol of Siemens."""
_GRADIENT_ECHO_EPI = "epfid"
"""Part of the sequence name of Siemens' BOLD scans."""
_TWO_DIMENSIONS = 2
"""Value of sKSpace.ucDimension in the protocol of Siemens for a 2D scan, whose slices are excited one by one."""
_IS_LIMIT = 2**31
"""Numbers of VR IS are smaller (PS3.5 section 6.2)."""
_OFF = (None, 1.0)
"""Values of a mode in the protocol of Siemens that mean off: absent, or 1."""


def planned_volumes(observed: ObservedSeries, stacks: Sequence[Stack], slices: int) -> int | None:
    """Return the planned number of volumes with `slices` slices.

    None for derived images, and if the header of the first image has no count that is at least the number of acquired volumes. A
    smaller one counts something else: NumberOfTemporalPositions of a diffusion scan may be 1.

    `stacks` are those that were acquired together; the first one has the most frames.
    """
    main = stacks[0]
    acquired = main.volumes
    if main.is_derived:
        return None
    counts = (
        _positive_integer(observed, "NumberOfTemporalPositions"),
        _positive_integer(observed, "PhilipsNumberOfDynamicScans"),
        _siemens_bold_volumes(observed),
        _volumes_from_images(observed, stacks, slices, "ImagesInAcquisition"),
        _volumes_from_images(observed, stacks, slices, "GEImagesInSeries"),
    )
    return next((count for count in counts if count is not None and count >= acquired), None)


def planned_slices(observed: ObservedSeries) -> int | None:
    """Return the planned number of slices of a series with one volume.

    None for derived images and several planes, and if the header of the first image does not contain it.
    """
    main = observed.main_stack
    if main is None or main.is_derived or _plane_count(observed) > 1:
        return None
    numbers = observed.acquired_stacks.header_numbers
    if numbers.get("Protocol.sKSpace.ucDimension") == [_TWO_DIMENSIONS]:
        return _positive_integer(observed, "Protocol.sSliceArray.lSize")
    philips = _positive_integer(observed, "PhilipsNumberOfSlices")
    return philips or _slices_of_single_volume(observed)


def _plane_count(observed: ObservedSeries) -> int:
    """Return the number of planes in which one contrast was scanned (localizer: three); each plane is a stack."""
    contrasts = [
        (stack.echo_time, stack.component, stack.is_derived, stack.size) for stack in observed.acquired_stacks.stacks
    ]
    return max(Counter(contrasts).values(), default=0)


def _positive_integer(observed: ObservedSeries, name: str) -> int | None:
    """Return a number of the header; None if it is absent, below 1, more than IS can have, or not an integer."""
    number = observed.number(name)
    return int(number) if number is not None and 1 <= number < _IS_LIMIT and number == int(number) else None


def _volumes_from_images(observed: ObservedSeries, stacks: Sequence[Stack], slices: int, name: str) -> int | None:
    """Return the number of volumes, given the planned number of images in the header element `name`.

    None if the header has no such number, or if not all stacks were acquired together.
    """
    images = _positive_integer(observed, name)
    if images is None or len(stacks) < len(observed.acquired_stacks.stacks):
        return None
    return -(-images // (slices * len(stacks)))


def _slices_of_single_volume(observed: ObservedSeries) -> int | None:
    """Return the planned number of images if the series is one volume of one contrast, so that each image is a slice; else None."""
    if len(observed.acquired_stacks.stacks) != 1 or _positive_integer(observed, "NumberOfTemporalPositions") not in (
        None,
        1,
    ):
        return None
    return _positive_integer(observed, "GEImagesInSeries") or _positive_integer(observed, "ImagesInAcquisition")


def _siemens_bold_volumes(observed: ObservedSeries) -> int | None:
    """Return the number of volumes in the protocol of Siemens, if the series is plain BOLD.

    In diffusion, perfusion and multi-echo scans, repetitions are not volumes. A single-band reference (SBRef) has the
    protocol of its scan.
    """
    numbers, texts = observed.acquired_stacks.header_numbers, observed.acquired_stacks.header_texts
    program = texts.get("Protocol.tSequenceFileName", "").lower()
    name = (observed.text("SequenceName", "PulseSequenceName") or "").lower()
    main = observed.main_stack
    is_plain_bold = (
        _PROTOCOL_EXISTS in texts
        and _GRADIENT_ECHO_EPI in name
        and numbers.get("Protocol.lContrasts", [1.0]) == [1.0]
        and len(observed.acquired_stacks.echo_times) <= 1
        and numbers.get("Protocol.sDiffusion.ulMode", [None])[0] in _OFF
        and numbers.get("Protocol.sAsl.ulMode", [None])[0] in _OFF
        and not any(word in program for word in ("asl", "diff"))
        and main is not None
        and not main.b_values
    )
    if not is_plain_bold or _is_reference(observed):
        return None
    return int(numbers.get("Protocol.lRepetitions", [0.0])[0]) + 1


def _is_reference(observed: ObservedSeries) -> bool:
    """Return whether the series is a single-band reference, by its comment or its description."""
    comment = (observed.text("ImageComments") or "").lower()
    return "single-band reference" in comment or observed.header_text("SeriesDescription").lower().endswith("sbref")
