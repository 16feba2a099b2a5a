"""Scan lines of a picture: slices side by side, each in the middle of a black field with letters at its sides."""

from collections.abc import Sequence

from qxbatch.page.side_letters import Sides, letter_pixels

_GAP = 4
"""Pixels between two slices."""
_FILTER_LENGTH = 1
"""Bytes at the beginning of each scan line: the filter of the line, 0 for none (ISO/IEC 15948, 9)."""


class Canvas:
    """The scan lines of a picture, black at first; a pixel has `depth` bytes."""

    def __init__(self, widths: Sequence[int], height: int, depth: int) -> None:
        self.width = sum(widths) + _GAP * (len(widths) - 1)
        self.height, self.depth = height, depth
        self.stride = _FILTER_LENGTH + self.width * depth
        self.scan_lines = bytearray(self.stride * height)

    def offset(self, left: int, top: int) -> int:
        """Return the offset of a pixel in `scan_lines`, in bytes."""
        return self.stride * top + _FILTER_LENGTH + left * self.depth

    def draw(self, pixels: bytes, left: int, width: int, sides: Sides) -> int:
        """Draw the pixels of a slice, row by row, and its letters; return the column of pixels where the next slice begins."""
        row_length = width * self.depth
        offset = self.offset(left, (self.height - len(pixels) // row_length) // 2)
        for start in range(0, len(pixels), row_length):
            self.scan_lines[offset : offset + row_length] = pixels[start : start + row_length]
            offset += self.stride
        for x, y, run in letter_pixels(sides, width, self.height, self.depth):
            offset = self.offset(left + x, y)
            self.scan_lines[offset : offset + len(run)] = run
        return left + width + _GAP


def side_by_side(slices: Sequence[tuple[bytes, int, Sides]], height: int, depth: int) -> Canvas:
    """Return a canvas with slices, each given as pixels, width and letters. A slice has at most `height` rows."""
    canvas = Canvas([width for _, width, _ in slices], height, depth)
    left = 0
    for pixels, width, sides in slices:
        left = canvas.draw(pixels, left, width, sides)
    return canvas
