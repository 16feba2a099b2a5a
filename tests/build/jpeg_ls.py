"""Lossless JPEG-LS (ISO/IEC 14495-1) of grey frames of 12 bits: a compression that the core does not decode."""

import struct

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGLSLossless

_BITS = 12
_RANGE = 1 << _BITS
_LIMIT = 4 * _BITS
_RESET = 64
_THRESHOLDS = (18, 67, 276)
_RUN = 365
"""Index of the first of the two contexts of run interruption."""
_RUN_BITS = (*(0,) * 4, *(1,) * 4, *(2,) * 4, *(3,) * 4, 4, 4, 5, 5, 6, 6, 7, 7, *range(8, 16))


class _Encoder:
    """The state of the encoder of one frame; the names are those of the standard (A, B, C, N, Nn, RUNindex)."""

    def __init__(self) -> None:
        self.bits: list[str] = []
        self.a = [_RANGE // 64] * (_RUN + 2)
        self.b, self.c = [0] * _RUN, [0] * _RUN
        self.n = [1] * (_RUN + 2)
        self.nn = [0, 0]
        self.run_index = 0

    def line(self, row: list[int], above: list[int], corner: int) -> None:
        """Encode a row; `corner` is the value at the upper left of its first pixel."""
        at, width = 0, len(row)
        while at < width:
            left = row[at - 1] if at else above[0]
            up, up_left = above[at], above[at - 1] if at else corner
            up_right = above[min(at + 1, width - 1)]
            gradients = (up_right - up, up - up_left, up_left - left)
            if any(gradients):
                self._regular(row[at], left, up, up_left, gradients)
                at += 1
                continue
            start = at
            while at < width and row[at] == left:
                at += 1
            self._run(at - start, is_whole=at == width)
            if at < width:
                self._interruption(row[at], left, above[at])
                at += 1

    def _regular(self, value: int, left: int, up: int, up_left: int, gradients: tuple[int, ...]) -> None:
        q = 0
        for gradient in gradients:
            q = 9 * q + _level(gradient)
        sign = -1 if q < 0 else 1
        q = abs(q)
        low, high = min(left, up), max(left, up)
        predicted = low if up_left >= high else high if up_left <= low else left + up - up_left
        predicted = min(max(predicted + sign * self.c[q], 0), _RANGE - 1)
        error = _wrapped(sign * (value - predicted))
        k = _parameter(self.n[q], self.a[q])
        is_inverted = k == 0 and 2 * self.b[q] <= -self.n[q]
        plain = error if error >= 0 else -error - 1
        self._code(2 * plain + ((error < 0) != is_inverted), k, _LIMIT)
        self._update(q, error)

    def _update(self, q: int, error: int) -> None:
        self.b[q] += error
        self.a[q] += abs(error)
        if self.n[q] == _RESET:
            self.a[q], self.b[q], self.n[q] = self.a[q] >> 1, self.b[q] >> 1, self.n[q] >> 1
        self.n[q] += 1
        if self.b[q] <= -self.n[q]:
            self.b[q] = max(self.b[q] + self.n[q], 1 - self.n[q])
            self.c[q] = max(self.c[q] - 1, -128)
        elif self.b[q] > 0:
            self.b[q] = min(self.b[q] - self.n[q], 0)
            self.c[q] = min(self.c[q] + 1, 127)

    def _run(self, length: int, *, is_whole: bool) -> None:
        while length >= 1 << _RUN_BITS[self.run_index]:
            self.bits.append("1")
            length -= 1 << _RUN_BITS[self.run_index]
            self.run_index = min(self.run_index + 1, len(_RUN_BITS) - 1)
        if not is_whole:
            self.bits.append("0")
            self._number(length, _RUN_BITS[self.run_index])
        elif length:
            self.bits.append("1")

    def _interruption(self, value: int, left: int, up: int) -> None:
        kind = int(left == up)
        q = _RUN + kind
        error = _wrapped((value - up) * (-1 if left > up else 1))
        k = _parameter(self.n[q], self.a[q] + (self.n[q] >> 1) * kind)
        is_frequent = 2 * self.nn[kind] >= self.n[q]
        is_mapped = (error > 0 and k == 0 and not is_frequent) or (error < 0 and (k > 0 or is_frequent))
        code = 2 * abs(error) - kind - is_mapped
        self._code(code, k, _LIMIT - _RUN_BITS[self.run_index] - 1)
        self.nn[kind] += error < 0
        self.a[q] += (code + 1 - kind) >> 1
        if self.n[q] == _RESET:
            self.a[q], self.n[q], self.nn[kind] = self.a[q] >> 1, self.n[q] >> 1, self.nn[kind] >> 1
        self.n[q] += 1
        self.run_index = max(self.run_index - 1, 0)

    def _code(self, code: int, k: int, limit: int) -> None:
        """Append a Golomb code."""
        most = limit - _BITS - 1
        zeros = code >> k
        self.bits.append("0" * min(zeros, most) + "1")
        if zeros < most:
            self._number(code & ((1 << k) - 1), k)
        else:
            self._number(code - 1, _BITS)

    def _number(self, value: int, count: int) -> None:
        if count:
            self.bits.append(f"{value:0{count}b}")

    def stream(self) -> bytes:
        """Return the bits as bytes; the byte after FF has only seven of them."""
        bits, out, at = "".join(self.bits), bytearray(), 0
        while at < len(bits):
            count = 7 if out and out[-1] == 0xFF else 8
            out.append(int(bits[at : at + count].ljust(count, "0"), 2))
            at += count
        return bytes(out) + b"\0" * out.endswith(b"\xff")


def _level(gradient: int) -> int:
    """Return the quantised gradient."""
    level = sum(abs(gradient) >= threshold for threshold in (1, *_THRESHOLDS))
    return -level if gradient < 0 else level


def _wrapped(error: int) -> int:
    """Return an error modulo the range of values."""
    return (error + _RANGE // 2) % _RANGE - _RANGE // 2


def _parameter(count: int, total: int) -> int:
    k = 0
    while count << k < total:
        k += 1
    return k


def jpeg_ls(frame: NDArray[np.uint16]) -> bytes:
    """Return a frame, shape (rows, columns), as a stream."""
    encoder = _Encoder()
    above, corner = [0] * frame.shape[1], 0
    for row in frame.tolist():
        encoder.line(row, above, corner)
        above, corner = row, above[0]
    size = struct.pack(">HBHHBBBB", 11, _BITS, *frame.shape, 1, 1, 0x11, 0)
    head = b"\xff\xd8\xff\xf7" + size + b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, 0, 0, 0)
    return head + encoder.stream() + b"\xff\xd9"


def compress(dataset: Dataset) -> Dataset:
    """Compress the 16-bit grey frames of a dataset that has file meta information; return the dataset."""
    frames = np.frombuffer(dataset.PixelData, "<u2").reshape(-1, dataset.Rows, dataset.Columns)
    dataset.PixelData = encapsulate([jpeg_ls(frame) for frame in frames])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGLSLossless
    return dataset
