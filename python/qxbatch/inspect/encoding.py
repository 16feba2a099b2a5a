"""Phase encoding, acceleration and readout of a series."""

import re
from typing import NamedTuple

from qxbatch.inspect.observed import ObservedSeries

_FRACTIONS = {1.0: 0.5, 2.0: 0.625, 4.0: 0.75, 8.0: 0.875, 16.0: 1.0}
"""Fraction of k-space for each value of sKSpace.ucPhasePartialFourier in the protocol of Siemens."""
_UNALIASED = re.compile(r"\bMB([0-9]{1,3})\b")
"""Text in ImageComments of multiband sequences: `Unaliased MB3/PE3`."""
_CUSTOMER = "%customerseq%"
"""Folder of sequences that are not from Siemens: their protocols may contain lMultiBandFactor 1 in a multiband scan."""
_AXES = {"ROW": "i", "COL": "j", "COLUMN": "j"}
"""Axis of the image for each value of InPlanePhaseEncodingDirection."""
_DIRECTIONS = {("i", True): "i", ("i", False): "i-", ("j", True): "j-", ("j", False): "j"}
"""Maps axis and sign of the header to the direction in the image, whose rows have the opposite order."""
_BIDS_DIRECTIONS = frozenset({"i", "i-", "j", "j-", "k", "k-"})
"""Values of PhaseEncodingDirection in a sidecar."""


class KSpaceEncoding(NamedTuple):
    """How k-space was encoded; None for unknown values."""

    phase_encoding_direction: str | None
    phase_encoding_axis: str | None
    in_plane_acceleration: float | None
    multiband_factor: int | None
    partial_fourier: float | None
    effective_echo_spacing_s: float | None
    total_readout_time_s: float | None
    pixel_bandwidth_hz: float | None


def k_space_encoding(observed: ObservedSeries) -> KSpaceEncoding:
    """Return how k-space was encoded."""
    axis, direction = _phase_encoding(observed)
    spacing, readout = _readout(observed, axis)
    return KSpaceEncoding(
        phase_encoding_direction=direction,
        phase_encoding_axis=None if direction else axis,
        in_plane_acceleration=_acceleration(observed),
        multiband_factor=_multiband(observed),
        partial_fourier=_partial_fourier(observed),
        effective_echo_spacing_s=spacing,
        total_readout_time_s=readout,
        pixel_bandwidth_hz=observed.number("PixelBandwidth", sidecar="PixelBandwidth"),
    )


def _phase_encoding(observed: ObservedSeries) -> tuple[str | None, str | None]:
    """Return axis and direction in the image; without a known polarity, the axis alone."""
    axis = _AXES.get(observed.text("InPlanePhaseEncodingDirection") or "")
    positive = observed.acquired_stacks.header_numbers.get("SiemensPhaseEncodingDirectionPositive")
    if axis and positive:
        return axis, _DIRECTIONS[axis, positive[0] > 0]
    direction = observed.text(sidecar="PhaseEncodingDirection")
    if direction in _BIDS_DIRECTIONS:
        return direction[0], direction
    axis = axis or observed.text(sidecar="PhaseEncodingAxis")
    return axis if axis in _BIDS_DIRECTIONS else None, None


def _acceleration(observed: ObservedSeries) -> float | None:
    factor = observed.number("ParallelReductionFactorInPlane", "Protocol.sPat.lAccelFactPE")
    asset = observed.number("GEAssetFactors")
    if factor is None and asset is not None:
        factor = round(1 / asset, 2)  # GE writes the reciprocal of the factor
    return factor or observed.number(sidecar="ParallelReductionFactorInPlane")


def _multiband(observed: ObservedSeries) -> int | None:
    comment = _UNALIASED.search(observed.text("ImageComments") or "")
    if comment:
        return int(comment[1])
    factor = observed.number("Protocol.sSliceAcceleration.lMultiBandFactor")
    if factor is None or factor == 1:
        is_custom = _CUSTOMER in (observed.text("Protocol.tSequenceFileName") or "").lower()
        factor = observed.number(sidecar="MultibandAccelerationFactor") or (None if is_custom else factor)
    return int(factor) if factor is not None and factor >= 1 else None


def _partial_fourier(observed: ObservedSeries) -> float | None:
    fraction = _FRACTIONS.get(observed.number("Protocol.sKSpace.ucPhasePartialFourier") or 0)
    if fraction is None and observed.text("PartialFourier") == "NO":
        fraction = 1.0
    fraction = fraction or observed.number(sidecar="PartialFourier")
    return fraction if fraction is not None and 0 < fraction <= 1 else None


def _readout(observed: ObservedSeries, axis: str | None) -> tuple[float | None, float | None]:
    """Return effective echo spacing and total readout time in s, for the image's lines along its phase encoding."""
    bandwidth, main = observed.number("SiemensBandwidthPerPixelPhaseEncode"), observed.main_stack
    lines = 0 if main is None or not axis else main.size[1] if axis == "i" else main.size[0]
    if bandwidth and lines:
        spacing = 1 / (bandwidth * lines)
        return round(spacing, 9), round(spacing * (lines - 1), 9)
    return observed.number(sidecar="EffectiveEchoSpacing"), observed.number(sidecar="TotalReadoutTime")
