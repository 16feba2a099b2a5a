"""Copies of mosaics: one series for each size, kind and echo. Pixels and private elements (slice positions) are unchanged."""

import hashlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from qxbatch.convert.normalize.contrast import time_classes
from qxbatch.convert.normalize.errors import CannotNormalizeError
from qxbatch.convert.normalize.frames import echo_time, image_kind, is_mosaic, read_volume_attributes
from qxbatch.convert.normalize.model import CopiedStack, VolumeAttributes
from qxbatch.convert.normalize.objects import image_objects

_COMMON = ("StudyInstanceUID", "SeriesNumber", "StudyDate", "StudyTime", "SeriesDescription", "ProtocolName")
"""Elements that get the value of the first file in all copies of a stack."""
_KEYS: tuple[tuple[str, Callable[[VolumeAttributes], Any]], ...] = (
    ("AcquisitionNumber", lambda elements: elements.acquisition_number),
    ("AcquisitionTime", lambda elements: elements.acquisition_time or None),
    ("ContentTime", lambda elements: elements.content_time or None),
    ("InstanceNumber", lambda elements: elements.instance_number),
)
"""Elements that order the volumes, the most reliable first."""
_UID_BITS = 128


@dataclass(frozen=True)
class _Mosaic:
    """One volume as tiles of one image."""

    path: Path
    name: str
    """Path below the folder of the series."""
    size: tuple[int, int]
    """Columns and rows of all tiles together."""
    kind: tuple[str, ...]
    """ImageType or FrameType, and ComplexImageComponent."""
    echo: float | None
    """Echo time in ms."""
    volume_attributes: VolumeAttributes


def mosaic_copies(folder: Path, out: Path) -> tuple[CopiedStack, ...]:
    """Write the mosaics below a folder as one series for each size, kind and echo, numbered in the order of acquisition.

    Only the elements of _COMMON, SeriesInstanceUID and InstanceNumber change. Return the series in the order of their folders.

    Raises CannotNormalizeError when an image is not a mosaic, has several frames or is damaged, or when no element orders the
    volumes, and OSError.
    """
    images = [_mosaic(image.path, image.header, image.frame_count, folder) for image in image_objects(folder)]
    echo_numbers = time_classes(image.echo for image in images)
    groups: dict[Hashable, list[_Mosaic]] = {}
    for image in images:
        groups.setdefault((echo_numbers[image.echo], image.kind, image.size), []).append(image)
    several_echoes = len({echo_numbers[image.echo] for image in images}) > 1
    stacks = []
    for k, group in enumerate(sorted(groups.values(), key=_stack_sort_key), start=1):
        echo_number = echo_numbers[group[0].echo]
        suffix = f"_e{echo_number}" if several_echoes and group[0].echo is not None else ""
        stacks.append(_write(_in_acquisition_order(group), out / str(k), suffix, echo_number))
    return tuple(stacks)


def _mosaic(path: Path, header: Dataset, frames: int, folder: Path) -> _Mosaic:
    """Return the facts of a mosaic; `frames` is its number of frames. Raises CannotNormalizeError for any other image."""
    name = path.relative_to(folder).as_posix()
    kind = image_kind(header)
    if not is_mosaic(kind):
        raise CannotNormalizeError(f"{name} is not a mosaic, but other images are")
    if frames > 1:
        raise CannotNormalizeError(f"{name} is a mosaic with {frames} frames")
    try:
        size = (int(header.Columns), int(header.Rows))
        return _Mosaic(path, name, size, kind, echo_time(header), read_volume_attributes(header, 0))
    except (ValueError, TypeError, AttributeError) as error:
        raise CannotNormalizeError(f"{name}: {error}") from error


def _stack_sort_key(group: Sequence[_Mosaic]) -> tuple[Any, ...]:
    return group[0].echo or float("inf"), group[0].kind, group[0].size


def _in_acquisition_order(group: Sequence[_Mosaic]) -> list[_Mosaic]:
    """Return mosaics in the order of the first of _KEYS that has a different value in each.

    Raises CannotNormalizeError if there are several mosaics and no such key.
    """
    for _, key in _KEYS:
        values = [key(image.volume_attributes) for image in group]
        if None not in values and len(set(values)) == len(values):
            return sorted(group, key=lambda image: key(image.volume_attributes))
    if len(group) == 1:
        return list(group)
    raise CannotNormalizeError(
        f"{len(group)} mosaics have no order: no number or time has a different value in each of them"
    )


def _write(group: Sequence[_Mosaic], folder: Path, suffix: str, echo_number: int) -> CopiedStack:
    """Write the copies of one stack into a new folder."""
    folder.mkdir()
    names = [image.name for image in group]
    uid = f"2.25.{int.from_bytes(hashlib.sha256(repr((echo_number, names)).encode()).digest()[: _UID_BITS // 8])}"
    common: dict[str, Any] = {}
    for number, image in enumerate(group, start=1):
        copy = dcmread(image.path, force=True)
        for keyword in _COMMON:
            element = common.setdefault(keyword, copy.get(Tag(keyword)))
            if element is not None:
                copy[keyword] = element
            elif keyword in copy:
                del copy[keyword]
        copy.SeriesInstanceUID = uid
        copy.InstanceNumber = number
        dcmwrite(folder / f"{number:07}.dcm", copy)
    sources = tuple((name, 0) for name in names)
    return CopiedStack(folder, uid, (*group[0].size, 1, len(group)), suffix, False, sources)
