"""Size and SHA-256 of each file of an image, so that one that is changed or exchanged later is noticed."""

from collections.abc import Mapping
from pathlib import Path

from qxbatch.core import hash_file
from qxbatch.record.images import Placement
from qxbatch.session.layout import IMAGE
from qxbatch.session.summary_parts import Sum


def sums_of(placement: Placement, session: Path, compressed: Mapping[Path, Sum]) -> dict[str, Sum]:
    """Return the sums of all files of images, by their paths below `session`, where they lie now.

    `compressed` has those of the images themselves, by the path at which the converter left each: they were taken of what
    was written, and not of what the disk gave back. Raises OSError.
    """
    found = {}
    for placed in placement.placed:
        for file in placed.image.files:
            own = compressed.get(placed.output.nifti) if file.endswith(IMAGE) else None
            found[file] = own or hash_file(str(session / file))
    return found
