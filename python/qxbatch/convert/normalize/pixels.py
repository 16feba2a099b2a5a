"""Pixel values of one frame: decodes their stored form (PS3.5 8.1.1), and masks unused bits."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGLossless, JPEGLosslessSV1

from qxbatch.convert.normalize.errors import CannotNormalizeError
from qxbatch.convert.normalize.model import Frame, PixelEncoding
from qxbatch.convert.normalize.objects import ImageObject
from qxbatch.core import decode_lossless_jpeg

Values = NDArray[np.integer[Any]]
"""Stored values of pixels."""
_BYTE = 8
_PIXEL_ELEMENTS = (
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
)
"""Elements of the header that pydicom's decoders need."""


def frame_length(frame: Frame) -> int:
    """Return the number of bytes of a native frame.

    Raises CannotNormalizeError unless 8, 16 or 32 bits are allocated for a value, and for subsampled colours.
    """
    if frame.photometric_interpretation.endswith(("422", "420")):
        raise CannotNormalizeError(f"{frame.source[0]}: its colours are {frame.photometric_interpretation}")
    bits = frame.encoding.bits_allocated
    if bits not in (8, 16, 32):
        raise CannotNormalizeError(f"{frame.source[0]}: {bits} bits are allocated for a value")
    return frame.rows * frame.columns * frame.samples_per_pixel * bits // _BYTE


def decode(image: ImageObject, frame: Frame, data: bytes) -> Values:
    """Return the values of a frame as a flat array.

    Raises CannotNormalizeError when compressed data cannot be decoded.
    """
    order = "<" if image.is_little_endian or image.is_encapsulated else ">"
    size = frame.encoding.bits_allocated // _BYTE
    if image.is_encapsulated:
        values = _decompress(image, frame, data)
        unsigned = values.astype(f"<i{values.dtype.itemsize}").view(f"<u{values.dtype.itemsize}")
    else:
        unsigned = np.frombuffer(data, f"{order}u{size}")
    return stored_values(unsigned.ravel(), frame.encoding)


def stored_values(unsigned: NDArray[Any], encoding: PixelEncoding) -> Values:
    """Return the values of the BitsStored bits from HighBit down; other bits become 0, or the sign of a negative value."""
    size = unsigned.dtype.itemsize * _BYTE
    above = max(0, size - encoding.high_bit - 1)
    below = size - encoding.bits_stored
    native = unsigned.astype(unsigned.dtype.newbyteorder("="))
    shifted = native << np.array(above, native.dtype)
    signed = shifted.view(f"i{native.dtype.itemsize}") if encoding.is_signed else shifted
    return np.asarray(signed >> np.array(below, signed.dtype))


def mask_unused_bits(image: ImageObject, frame: Frame, data: bytes) -> bytes:
    """Return the bytes of a native frame with values in the lowest bits (HighBit = BitsStored - 1), as in `stored_values`."""
    encoding = frame.encoding
    if encoding.bits_stored == encoding.bits_allocated:
        return data
    values = decode(image, frame, data)
    order = "<" if image.is_little_endian else ">"
    return values.astype(f"{order}{values.dtype.kind}{values.dtype.itemsize}").tobytes()


def decompressed_pixels(image: ImageObject, frame: Frame, data: bytes) -> bytes | None:
    """Return a grey frame in lossless JPEG as the bytes of a native frame, with values as in `stored_values`.

    None for other frames, and if the stream cannot be decoded.
    """
    cells = _lossless_jpeg(image, frame, data)
    if cells is None:
        return None
    values = stored_values(cells, frame.encoding)
    return values.astype(f"<{values.dtype.kind}{values.dtype.itemsize}").tobytes()


def _lossless_jpeg(image: ImageObject, frame: Frame, data: bytes) -> NDArray[Any] | None:
    """Return the cells of a grey frame in lossless JPEG; None for other frames, and if the stream cannot be decoded."""
    if image.syntax not in (JPEGLossless, JPEGLosslessSV1) or frame.samples_per_pixel > 1:
        return None
    size = frame.encoding.bits_allocated // _BYTE
    decoded = decode_lossless_jpeg(data, frame.rows, frame.columns, size)
    return None if decoded is None else np.frombuffer(decoded, f"<u{size}")


def _decompress(image: ImageObject, frame: Frame, data: bytes) -> NDArray[Any]:
    """Return the values of a compressed frame. Raises CannotNormalizeError when they cannot be decoded."""
    cells = _lossless_jpeg(image, frame, data)
    if cells is not None:
        return cells
    dataset = Dataset()
    for keyword in _PIXEL_ELEMENTS:
        if keyword in image.header:
            dataset[keyword] = image.header[keyword]
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = image.syntax
    dataset.PixelData = encapsulate([data])
    dataset["PixelData"].is_undefined_length = True
    try:
        return dataset.pixel_array
    except (RuntimeError, NotImplementedError, ValueError, AttributeError) as error:
        raise CannotNormalizeError(f"{image.path.name}: {image.syntax.name} cannot be decoded ({error})") from error
