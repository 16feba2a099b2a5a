"""Compares the time between the volumes of an image with the headers."""

from qxbatch.convert.nifti import Nifti
from qxbatch.core import ImageCheck

_TOLERANCE = 0.05
"""Accepted difference of the time between volumes, s.

dcm2niix writes RepetitionTime, unless it differs by more than this from the time that dcm2niix estimates from acquisition times."""


def time_step_findings(image: Nifti, check: ImageCheck) -> list[str]:
    """Return a finding if the header of an image has another time between volumes than its DICOM headers.

    An image is compared only if its header has a time between volumes, if RepetitionTime and the acquisition times of the DICOM
    headers agree, and if the image is not of a diffusion scan.
    """
    if check.time_step is None or not image.time_step or abs(image.time_step - check.time_step) <= _TOLERANCE:
        return []
    text = f"its header says {image.time_step:g} s between volumes"
    return [f"{text}, RepetitionTime and the acquisition times say {check.time_step:g} s."]
