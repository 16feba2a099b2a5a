"""Checks of images and their sidecars.

The number of voxels, the size of slices and the SeriesNumber of the JSON are compared with the headers (of DICOM, or the PAR).
Tables of b-values and directions are checked for their form, and the NIfTI header is compared with itself: its voxel sizes and its
qform with its sform (`Nifti.contradiction`).
"""

import json
from collections import Counter
from collections.abc import Sequence

from qxbatch.convert.evidence import Evidence
from qxbatch.convert.extra_images import has_map, is_copy_or_overlay
from qxbatch.convert.gradient_tables import table_findings
from qxbatch.convert.nifti import Nifti
from qxbatch.model import Output
from qxbatch.os_error import error_text


def slice_count_findings(images: Sequence[tuple[Output, Nifti]], evidence: Evidence) -> tuple[list[str], list[str]]:
    """Return findings about missing and about surplus slices of a series, as two lists; at most one of them has an entry.

    The number of voxels in all images, without copies and overlays, is compared with the number of pixels that all headers
    announce.
    """
    if not evidence.is_countable or not evidence.voxels:
        return [], []
    originals = [(output, image.voxels) for output, image in images if not is_copy_or_overlay(output.suffix)]
    # dcm2niix writes a series with a map (ADC) twice: without the map, and completely. The image with the suffix of the map is
    # normally the complete series.
    voxels_with_map = sum(voxels for output, voxels in originals if has_map(output.suffix))
    total = sum(voxels for _, voxels in originals)
    if evidence.voxels in {total, total - voxels_with_map, voxels_with_map}:
        return [], []
    voxels = voxels_with_map or total
    slices, remainder = divmod(evidence.slices * voxels, evidence.voxels)
    message = f"the headers announce {evidence.slices} slices, the images contain {slices}."
    if remainder:  # for example a mosaic with another number of tiles than its header says
        message = f"the headers announce {evidence.voxels} pixels, the images contain {voxels}."
    return ([message], []) if voxels < evidence.voxels else ([], [message])


def image_findings(output: Output, image: Nifti, evidence: Evidence) -> list[str]:
    """Return how one image and its sidecars disagree with the headers or with each other, or the image's header with itself."""
    contradictions = [f"{image.contradiction}."] if image.contradiction else []
    return [
        *contradictions,
        *_size_findings(image, evidence),
        *table_findings(output, image),
        *_json_findings(output, evidence),
    ]


def _size_findings(image: Nifti, evidence: Evidence) -> list[str]:
    """Return a finding if no slice size of a PAR is among the dimensions of the image, which may be permuted.

    Frames of DICOM are compared one by one instead (qxbatch.convert.comparison).
    """
    if evidence.frames is not None or not evidence.is_countable or not evidence.sizes:
        return []
    sides = Counter(image.shape[:3])
    if any(Counter(size) <= sides for size in evidence.sizes):
        return []
    expected = ", ".join(f"{columns} x {rows}" for rows, columns in sorted(evidence.sizes))
    return [f"the headers say {expected} pixels, the image is {' x '.join(map(str, image.shape))}."]


def _json_findings(output: Output, evidence: Evidence) -> list[str]:
    """Return a finding if the JSON cannot be read, or if its SeriesNumber is not that of the headers."""
    path = output.sidecars.get("json")
    if path is None:
        return []
    try:
        content = json.loads(path.read_text(encoding="utf-8", errors="replace"))
    except (ValueError, OSError) as error:
        return [f"its JSON cannot be read ({error_text(error)})."]
    number = content.get("SeriesNumber") if isinstance(content, dict) else None
    if number is None or number == evidence.series_number:
        return []
    if evidence.series_number is None or evidence.series_number <= 0:  # dcm2niix then invents a number
        return []
    return [f"its JSON says series number {number}, the headers say {evidence.series_number}."]
