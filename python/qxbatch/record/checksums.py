"""Size and SHA-256 of each file of an image, so that later changes are detected."""

from collections.abc import Mapping
from pathlib import Path

from qxbatch.core import hash_file
from qxbatch.record.images import SessionImages
from qxbatch.session.layout import IMAGE_SUFFIX
from qxbatch.session.summary_parts import SizeAndHash


def file_checksums(
    session_images: SessionImages, session: Path, image_sums: Mapping[Path, SizeAndHash]
) -> dict[str, SizeAndHash]:
    """Return size in bytes and SHA-256 of all files of the images, by their paths below `session`.

    `image_sums` maps the path of an image in the converter's output to size and SHA-256 of its compressed form, which were
    computed from the bytes that were written, not from bytes read from disk. Raises OSError.
    """
    sums = {}
    for item in session_images.numbered_images:
        for file in item.image.files:
            known_sum = image_sums.get(item.output.nifti) if file.endswith(IMAGE_SUFFIX) else None
            sums[file] = known_sum or hash_file(str(session / file))
    return sums
