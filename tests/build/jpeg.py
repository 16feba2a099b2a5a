"""Lossless JPEG (ISO/IEC 10918-1 annex H) of grey frames: the first predictor, a fixed Huffman code."""

import struct

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGLosslessSV1

_PRECISION = 12
_CODE_LENGTH = 5
"""Bits of each of the 17 codes: a code is the number of bits of the difference."""


def lossless_jpeg(frame: NDArray[np.uint16]) -> bytes:
    """Return a frame, shape (rows, columns), as a stream of 12-bit samples."""
    values = frame.astype(int)
    predicted = np.roll(values, 1, axis=1)
    predicted[1:, 0] = values[:-1, 0]
    predicted[0, 0] = 1 << (_PRECISION - 1)
    codes = []
    for difference in (values - predicted).ravel().tolist():
        count = abs(difference).bit_length()
        codes.append(f"{count:0{_CODE_LENGTH}b}")
        if count:
            codes.append(f"{difference if difference > 0 else difference + (1 << count) - 1:0{count}b}")
    bits = "".join(codes)
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    table = bytes([0, *(17 if length == _CODE_LENGTH else 0 for length in range(1, 17)), *range(17)])
    header = struct.pack(">BHHBBBB", _PRECISION, *frame.shape, 1, 1, 0x11, 0)
    segments = [(0xC3, header), (0xC4, table), (0xDA, bytes([1, 1, 0, 1, 0, 0]))]
    head = b"".join(b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body for marker, body in segments)
    return b"\xff\xd8" + head + data + b"\xff\xd9"


def compress(dataset: Dataset) -> Dataset:
    """Compress the 16-bit grey frames of a dataset that has file meta information; return the dataset."""
    shape = (-1, dataset.Rows, dataset.Columns)
    frames = np.frombuffer(dataset.PixelData, "<u2").reshape(shape)
    dataset.PixelData = encapsulate([lossless_jpeg(frame) for frame in frames])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    return dataset
