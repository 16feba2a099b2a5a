"""The keys of `match` (docs/bids.md describes each)."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from qxbatch.acquisition import Orientation, SeriesVerdict
from qxbatch.bids.images.facts import KINDS, ImageFacts
from qxbatch.bids.rules.match_values import (
    IN_MS,
    ValueTest,
    all_words,
    globs,
    number_list,
    number_range,
    one_of,
    regexes,
    shells,
    sidecar_field,
)
from qxbatch.convert.header_values import text
from qxbatch.model import SeriesKind
from qxbatch.protocol.fields import FIELDS

ValueOf = Callable[[ImageFacts], object]


class MatchKey(NamedTuple):
    """A key of `match`."""

    value_of: ValueOf
    """Returns the value of an image; None where it is not known."""
    read: Callable[[Any], ValueTest]
    """Reads the value in the rule file, and returns the test for the value of an image. Raises WrongValueError."""


CONVERTER_FIELDS = (
    *("ConversionSoftware", "EchoNumber", "EchoTime1", "EchoTime2", "ImageComments", "ImageOrientationText"),
    *("ImageType", "ImageTypeText", "ImagingFrequency", "Modality", "MRAcquisitionType", "NumberOfAverages"),
    *("PartialFourierDirection", "PercentPhaseFOV", "PercentSampling", "PhaseEncodingAxis", "ProcedureStepDescription"),
    *("ProtocolName", "PulseSequenceName", "ReceiveCoilName", "ScanOptions", "SequenceName", "SeriesDescription"),
    *("SpacingBetweenSlices", "StudyDescription", "TransmitCoilName", "TriggerDelayTime", "TxRefAmp", "WipMemBlock"),
    *(
        "BandwidthPerPixelPhaseEncode",
        "BaseResolution",
        "CoilString",
        "InternalPulseSequenceName",
        "SAR",
        "SliceThickness",
    ),
)
"""Sidecar fields of dcm2niix that rules can name, whether or not the BIDS schema defines them."""


def _header_value(field_name: str) -> ValueOf:
    return lambda facts: text(facts.image.series.header, field_name) or None


def _acquisition_fact(name: str) -> ValueOf:
    return lambda facts: getattr(facts.acquisition, name)


def _tolerance(name: str) -> Callable[[float], float]:
    return FIELDS[name].tolerance


def _number_key(name: str) -> MatchKey:
    return MatchKey(_acquisition_fact(name), number_range(_tolerance(name)))


def _three_numbers_key(name: str) -> MatchKey:
    return MatchKey(_acquisition_fact(name), number_list(3, _tolerance(name)))


def _axis(facts: ImageFacts) -> str | None:
    """Return the axis of phase encoding: `i`, `j` or `k`; None if it is not known."""
    direction = facts.acquisition.phase_encoding_direction or facts.acquisition.phase_encoding_axis
    return direction[0] if direction else None


def _b_max(facts: ImageFacts) -> float | None:
    return max((b for b, _count in facts.acquisition.b_values or ()), default=None)


_NUMBERS = (
    *("slice_gap_mm", "in_plane_acceleration", "multiband_factor", "partial_fourier", "pixel_bandwidth_hz"),
    *("effective_echo_spacing_s", "total_readout_time_s", "directions", "field_strength_t"),
)
"""Acquisition facts that are a single number; each is a key with the same name."""
KEYS: Mapping[str, MatchKey] = {
    "name": MatchKey(lambda facts: facts.name, globs),
    "name_regex": MatchKey(lambda facts: facts.name, regexes),
    "protocol": MatchKey(lambda facts: facts.protocol or None, globs),
    "sequence": MatchKey(_acquisition_fact("sequence_name"), globs),
    "kind": MatchKey(lambda facts: facts.kind, one_of(*KINDS)),
    "guess": MatchKey(lambda facts: facts.guess or None, globs),
    "image_type": MatchKey(lambda facts: facts.image_type, all_words),
    "number": MatchKey(lambda facts: facts.series_number, number_range()),
    "n": MatchKey(lambda facts: facts.image.series.n, number_range()),  # the folder of the series is dicom/<n>
    "image": MatchKey(lambda facts: facts.image.summary.k, number_range()),  # position within the series, from 1
    "echo": MatchKey(lambda facts: facts.echo, number_range()),
    "volumes": MatchKey(lambda facts: facts.volumes, number_range()),
    "verdict": MatchKey(lambda facts: facts.verdict, one_of(*SeriesVerdict)),
    "session": MatchKey(lambda facts: facts.image.session.id, globs),
    "subject": MatchKey(lambda facts: facts.image.session.subject or None, globs),
    "scanner": MatchKey(lambda facts: facts.scanner or None, globs),
    "modality": MatchKey(_header_value("Modality"), globs),
    "source": MatchKey(lambda facts: facts.image.series.kind, one_of(*SeriesKind)),
    "te_ms": MatchKey(lambda facts: facts.te_ms, number_range(_tolerance("te_ms"))),
    "ti_ms": MatchKey(lambda facts: facts.ti_ms, number_range(_tolerance("ti_ms"))),
    "tr_ms": MatchKey(lambda facts: facts.tr_ms, number_range(_tolerance("tr_ms"))),
    "flip_angle_deg": MatchKey(lambda facts: facts.flip_angle_deg, number_range(_tolerance("flip_angle_deg"))),
    "matrix": _three_numbers_key("matrix"),
    "voxel_mm": _three_numbers_key("voxel_mm"),
    "fov_mm": _three_numbers_key("fov_mm"),
    "orientation": MatchKey(_acquisition_fact("orientation"), one_of(*Orientation)),
    "phase_encoding_direction": MatchKey(
        _acquisition_fact("phase_encoding_direction"), one_of("i", "i-", "j", "j-", "k", "k-")
    ),
    "phase_encoding_axis": MatchKey(_axis, one_of("i", "j", "k")),
    "b_values": MatchKey(_acquisition_fact("b_values"), shells),
    "b_max": MatchKey(_b_max, number_range()),
    "coil": MatchKey(_acquisition_fact("coil"), globs),
    "software": MatchKey(_acquisition_fact("software"), globs),
    **{name: _number_key(name) for name in _NUMBERS},
}
"""All keys except `not` and the sidecar fields (`sidecar_key`)."""
PATTERN_KEYS = {name for name, key in KEYS.items() if key.read in (globs, regexes)}
"""Keys whose patterns can capture text for `as`: globs in braces, `name_regex` in named groups. Sidecar fields can capture, too."""


def sidecar_key(name: str) -> MatchKey:
    """Return the key of a sidecar field. Times of IN_MS are compared in ms."""

    def value_of(facts: ImageFacts) -> object:
        from_facts = {
            "EchoTime": facts.te_ms,
            "RepetitionTime": facts.tr_ms,
            "InversionTime": facts.ti_ms,
            "FlipAngle": facts.flip_angle_deg,
            "ImageType": list(facts.image_type),
        }
        if name in from_facts:
            return from_facts[name]
        return facts.milliseconds(name) if name in IN_MS else facts.image.sidecar.get(name)

    return MatchKey(value_of, sidecar_field(name))
