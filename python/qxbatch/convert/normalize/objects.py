"""Reads the headers of the DICOM files of a folder, and the bytes of their frames."""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.tag import Tag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    EnhancedMRColorImageStorage,
    EnhancedMRImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    LegacyConvertedEnhancedMRImageStorage,
    MRImageStorage,
)

from qxbatch.convert.normalize.errors import CannotNormalizeError

_PIXELS = Tag("PixelData")
_FLOATS = frozenset((Tag("FloatPixelData"), Tag("DoubleFloatPixelData")))
_UNDEFINED_LENGTH = 0xFFFFFFFF
_MR_IMAGES = {
    MRImageStorage,
    EnhancedMRImageStorage,
    EnhancedMRColorImageStorage,
    LegacyConvertedEnhancedMRImageStorage,
}
"""SOP classes whose objects must have pixel data."""


@dataclass(frozen=True)
class ImageObject:
    """A DICOM file with pixel data: its header, and where its pixel data are."""

    path: Path
    header: Dataset
    """All elements before the pixel data."""
    syntax: UID
    """The transfer syntax."""
    is_little_endian: bool
    frame_count: int
    offset: int
    """Offset of the first byte of pixel data in the file; of a deflated object, in the stream of `_inflate_pixel_data`."""
    length: int | None
    """Existing bytes of native pixel data; None for encapsulated pixel data."""

    @property
    def is_encapsulated(self) -> bool:
        """Return whether each frame is a compressed stream (PS3.5 A.4)."""
        return self.length is None


def image_objects(folder: Path) -> Iterator[ImageObject]:
    """Yield the files with pixel data below a folder, in byte order of their paths. Raises as `read_object` does."""
    for path in sorted(folder.rglob("*"), key=lambda path: str(path.relative_to(folder)).encode()):
        if path.is_file() and (image := read_object(path)) is not None:
            yield image


def read_object(path: Path) -> ImageObject | None:
    """Return a file's header and the location of its pixel data; None if it is not a DICOM file, or has no pixel data
    or no Rows.

    Raises CannotNormalizeError for a damaged DICOM file, an MR image without pixel data (its slices would be missing), and
    floating-point pixel data, and OSError.
    """
    try:
        with path.open("rb") as file:
            header = dcmread(file, stop_before_pixels=True, force=True)
            syntax = _syntax(header)
            stream = _inflate_pixel_data(path) if syntax == DeflatedExplicitVRLittleEndian else file
            location = _pixel_data(stream, syntax)
            frames = max(1, int(header.get("NumberOfFrames") or 1))
    except CannotNormalizeError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        if _is_dicom(path):  # pydicom raises any exception on damaged data
            raise CannotNormalizeError(f"{path.name} cannot be read ({error})") from error
        return None
    if location is None:
        if str(header.get("SOPClassUID", "")) in _MR_IMAGES:
            raise CannotNormalizeError(f"{path.name} ends before its pixel data")
        return None
    if "Rows" not in header:
        return None
    return ImageObject(path, header, syntax, syntax != ExplicitVRBigEndian, frames, *location)


def _is_dicom(path: Path) -> bool:
    """Return whether a file has the prefix of PS3.10 7.1."""
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _syntax(header: Dataset) -> UID:
    """Return the transfer syntax of the file meta information; without one, the uncompressed one that pydicom detected."""
    meta = getattr(header, "file_meta", None)
    if meta is not None and "TransferSyntaxUID" in meta:
        return UID(meta.TransferSyntaxUID)
    implicit, little = header.original_encoding
    if not little:
        return ExplicitVRBigEndian
    return ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian


def _inflate_pixel_data(path: Path) -> BinaryIO:
    """Return the pixel data of a deflated object as a stream that starts with the header of the element."""
    header = dcmread(path, force=True)
    data = header.get("PixelData", b"")
    return io.BytesIO(struct.pack("<HH2sHI", _PIXELS.group, _PIXELS.element, b"OW", 0, len(data)) + data)


def _pixel_data(stream: BinaryIO, syntax: UID) -> tuple[int, int | None] | None:
    """Return offset and length of the pixel data whose element starts here; None if another element or the end is here.

    The length of encapsulated data is None. Raises CannotNormalizeError for floating-point pixel data.
    """
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    head = stream.read(8)
    if len(head) < 8:  # noqa: PLR2004 (tag, VR and length)
        return None
    tag = Tag(*struct.unpack(f"{order}HH", head[:4]))
    if tag in _FLOATS:
        raise CannotNormalizeError("the pixel data are floating-point numbers")
    if tag != _PIXELS:
        return None
    implicit = syntax == ImplicitVRLittleEndian
    (length,) = struct.unpack(f"{order}I", head[4:] if implicit else stream.read(4))
    start = stream.tell()
    if length == _UNDEFINED_LENGTH:
        return start, None
    return start, min(length, stream.seek(0, io.SEEK_END) - start)


def frame_bytes(image: ImageObject, frame_length: int) -> Iterator[bytes]:
    """Yield the pixel data of each frame: bytes of a native frame, the compressed stream of an encapsulated one.

    Raises CannotNormalizeError when frames are missing or cannot be read, and OSError.
    """
    count = 0
    with image.path.open("rb") as file:
        stream = _inflate_pixel_data(image.path) if image.syntax == DeflatedExplicitVRLittleEndian else file
        stream.seek(image.offset)
        for data in (
            _encapsulated_frames(image, stream)
            if image.is_encapsulated
            else _native_frames(image, stream, frame_length)
        ):
            count += 1
            yield data
    if count != image.frame_count:
        raise CannotNormalizeError(f"{image.path.name} contains {count} of {image.frame_count} frames")


def _native_frames(image: ImageObject, stream: BinaryIO, frame_length: int) -> Iterator[bytes]:
    for _ in range(image.frame_count):
        data = stream.read(frame_length)
        if len(data) < frame_length:
            return
        yield data


def _encapsulated_frames(image: ImageObject, stream: BinaryIO) -> Iterator[bytes]:
    """Yield frames by the extended offset table if the object has one (PS3.3 C.7.6.3.1.8)."""
    header = image.header
    offsets = None
    if "ExtendedOffsetTable" in header and "ExtendedOffsetTableLengths" in header:
        offsets = (header.ExtendedOffsetTable, header.ExtendedOffsetTableLengths)
    try:
        yield from generate_frames(stream, number_of_frames=image.frame_count, extended_offsets=offsets)
    except (ValueError, EOFError, struct.error) as error:
        raise CannotNormalizeError(f"{image.path.name}: its compressed frames cannot be read ({error})") from error
