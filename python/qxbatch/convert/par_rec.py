"""The layout of a REC: the size of its images, each of one slice, and the image that each line of the PAR describes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from qxbatch.counted import counted
from qxbatch.parrec.header import ParHeader

_BITS = (8, 16)
"""Supported numbers of bits of a pixel."""


class Rec(NamedTuple):
    """The size of the images in a REC, and the image that each line of the PAR describes."""

    path: Path
    image_indices: Any
    """The image of each line of the PAR, counted from 0."""
    columns: int
    rows: int
    bits: int
    """Bits of a pixel, 8 or 16."""
    doubts: tuple[str, ...] = ()
    """Why images may be wrong."""

    @property
    def is_in_line_order(self) -> bool:
        """Return whether the images follow each other as the lines of the PAR do."""
        return bool((self.image_indices == range(len(self.image_indices))).all())

    def read_images(self, line_indices: Any) -> Iterator[Any]:
        """Yield the image of each of these lines of the PAR, read from disk on demand: rows x columns unsigned integers.

        `line_indices` counts from 0.
        """
        import numpy as np

        size = self.columns * self.rows * self.bits // 8
        with self.path.open("rb") as file:
            for index in self.image_indices[line_indices]:
                file.seek(int(index) * size)
                yield np.frombuffer(file.read(size), f"<u{self.bits // 8}").reshape(self.rows, self.columns)

    def mapped_images(self) -> Any:
        """Return all images, mapped from disk: images x rows x columns."""
        import numpy as np

        image_count = self.path.stat().st_size // (self.columns * self.rows * self.bits // 8)
        return np.memmap(self.path, f"<u{self.bits // 8}", "r", shape=(image_count, self.rows, self.columns))


def rec_of(path: Path, header: ParHeader, table: Any) -> Rec:
    """Return the layout of a REC.

    The column `index in rec file` gives the image of each line. Without this column, the images are in the order of the lines.
    If the indices in the column are wrong, the order of the lines is used, too, and `doubts` has the reason.

    Raises ValueError when the REC is cut short, or the PAR's size or index of its images is not usable, and OSError.
    """
    import numpy as np

    other = np.flatnonzero((table["recon resolution"] != table["recon resolution"][0]).any(axis=-1))
    if other.size:
        first, second = (" x ".join(f"{side:g}" for side in table["recon resolution"][line]) for line in (0, other[0]))
        raise ValueError(f"its images have different sizes: {first} pixels in line 1, {second} in line {other[0] + 1}")
    (columns, rows), bits = map(int, table["recon resolution"][0]), int(table["image pixel size"][0])
    if bits not in _BITS or columns < 1 or rows < 1:
        raise ValueError(f"images of {columns} x {rows} pixels with {bits} bits are not supported")
    image_bytes = columns * rows * bits // 8
    have, need = path.stat().st_size, len(table) * image_bytes
    if have < need:
        raise ValueError(f"the REC is cut short: {have} of {need} bytes")
    image_indices, doubt = _image_indices(header, len(table), have // image_bytes)
    doubts = [doubt] if doubt else []
    if have > need:
        announced = f"{counted(len(table), 'image')} of {columns} x {rows} pixels with {bits} bits"
        twice = ", so its pixels may have 16 bits" if have == 2 * need and bits == _BITS[0] else ""
        doubts.append(f"the REC has {have} bytes, but the PAR announces {need} ({announced}){twice}.")
    return Rec(path, image_indices, columns, rows, bits, tuple(doubts))


def _image_indices(header: ParHeader, line_count: int, image_count: int) -> tuple[Any, str]:
    """Return the image of each line, and why the order of the lines was used instead of the indices; empty if it was not."""
    import numpy as np

    by_line = np.arange(line_count)
    indices = [number for (number,) in header.column("index in rec file")]
    if not indices:
        return by_line, ""
    why, line_of_image = "", dict[float, int]()
    for line, index in enumerate(indices, 1):
        if not index.is_integer() or not 0 <= index < image_count:
            why = f"line {line} names image {index:g}, and the REC has images 0 to {image_count - 1}"
        elif index in line_of_image:
            why = f"lines {line_of_image[index]} and {line} name image {index:g}"
        if why:
            return (
                by_line,
                f"the PAR's indices in the REC are wrong ({why}), so its images were taken in the order of the lines.",
            )
        line_of_image[index] = line
    return np.array(indices, dtype=int), ""
