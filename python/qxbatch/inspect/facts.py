"""All acquisition facts of a DICOM series."""

from qxbatch.acquisition import Acquisition
from qxbatch.inspect.diffusion import diffusion
from qxbatch.inspect.encoding import k_space_encoding
from qxbatch.inspect.geometry import geometry
from qxbatch.inspect.kinds import kinds
from qxbatch.inspect.observed import ObservedSeries
from qxbatch.inspect.plausible import plausible_facts
from qxbatch.inspect.timing import timing
from qxbatch.inspect.volumes import volume_counts


def facts(observed: ObservedSeries) -> Acquisition:
    """Return the acquisition facts of a DICOM series, without numbers that no scan can have."""
    counts = volume_counts(observed)
    times = timing(observed)
    sizes = geometry(observed, counts.slices_per_volume if counts else 0)
    k_space = k_space_encoding(observed)
    b_values, directions = diffusion(observed)
    acquisition = Acquisition(
        **times._asdict(),
        planned_volumes=counts.planned_volumes if counts else None,
        acquired_volumes=counts.acquired_volumes if counts else None,
        complete_volumes=counts.complete_volumes if counts else None,
        partial_slices=counts.partial_slices if counts else None,
        slices_per_volume=counts.slices_per_volume if counts else None,
        missing_slices=counts.missing_slices if counts else None,
        duplicate_slices=counts.duplicate_slices if counts else None,
        tr_ms=observed.number("RepetitionTime", sidecar="RepetitionTime", scale=1e3),
        te_ms=tuple(time for time in observed.acquired_stacks.echo_times if time) or None,
        ti_ms=observed.number("InversionTime", "InversionTimes", sidecar="InversionTime", scale=1e3),
        flip_angle_deg=observed.number("FlipAngle", sidecar="FlipAngle"),
        **sizes._asdict(),
        **k_space._asdict(),
        b_values=b_values,
        directions=directions,
        kinds=kinds(observed) or None,
        sequence_name=observed.text("SequenceName", "PulseSequenceName", "GEPulseSequence", sidecar="SequenceName"),
        field_strength_t=observed.number("MagneticFieldStrength", sidecar="MagneticFieldStrength"),
        coil=observed.text("ReceiveCoilName", "SiemensCoil", sidecar="ReceiveCoilName"),
        software=observed.text("SoftwareVersions", sidecar="SoftwareVersions"),
    )
    return plausible_facts(acquisition)
