"""One converted image: its picture is drawn, then it is compressed."""

from pathlib import Path

from qxbatch.core import gzip_file
from qxbatch.page.picture import write_picture
from qxbatch.pipeline.context import Context
from qxbatch.record.compress import compressed
from qxbatch.session.summary_parts import Sum


def picture_of(nifti: Path) -> Path:
    """Return where the picture of a converter's image lies until it is placed."""
    return nifti.with_name(f"{nifti.name}.png")


def finish_image(context: Context, nifti: Path) -> tuple[Path, Sum]:
    """Draw and compress an image; return the compressed file and its sum. Raises OSError, CancelledError."""
    with context.slots.one():
        write_picture(nifti, picture_of(nifti))
        packed = compressed(nifti)
        total = gzip_file(str(nifti), str(packed), level=context.settings.gzip_level, monitor=context.monitor)
        nifti.unlink()
    return packed, total
