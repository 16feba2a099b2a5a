"""Copies of mosaics: tiles, their positions in private elements and all pixels are unchanged; the files become one series."""

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
from qxbatch.convert.normalize.frames import echo_time, image_kind, is_mosaic, timing
from qxbatch.convert.normalize.model import CopiedStack, Timing
from qxbatch.convert.normalize.objects import image_objects

_COMMON = ("StudyInstanceUID", "SeriesNumber", "StudyDate", "StudyTime", "SeriesDescription", "ProtocolName")
"""Elements of which a stack gets the values of its first file."""
_KEYS: tuple[tuple[str, Callable[[Timing], Any]], ...] = (
    ("AcquisitionNumber", lambda timing: timing.acquisition_number),
    ("AcquisitionTime", lambda timing: timing.acquisition_time or None),
    ("ContentTime", lambda timing: timing.content_time or None),
    ("InstanceNumber", lambda timing: timing.instance_number),
)
"""Elements that order the volumes, the most reliable first."""
_UID_BITS = 128


@dataclass(frozen=True)
class _Mosaic:
    """One volume as tiles of one image."""

    path: Path
    name: str
    size: tuple[int, int]
    kind: tuple[str, ...]
    echo: float | None
    timing: Timing


def mosaic_copies(folder: Path, out: Path) -> tuple[CopiedStack, ...]:
    """Write the mosaics below a folder as one series for each size, kind and echo, numbered in the order of acquisition.

    Only the elements of _COMMON, SeriesInstanceUID and InstanceNumber change.

    Raises CannotNormalizeError when an image is not a mosaic, or when no element orders the volumes.
    """
    images = [_mosaic(image.path, image.header, image.frames, folder) for image in image_objects(folder)]
    numbers = time_classes(image.echo for image in images)
    groups: dict[Hashable, list[_Mosaic]] = {}
    for image in images:
        groups.setdefault((numbers[image.echo], image.kind, image.size), []).append(image)
    several = len({numbers[image.echo] for image in images}) > 1
    stacks = []
    for k, group in enumerate(sorted(groups.values(), key=_order), start=1):
        suffix = f"_e{numbers[group[0].echo]}" if several and group[0].echo is not None else ""
        stacks.append(_write(_ordered(group), out / str(k), suffix, numbers[group[0].echo]))
    return tuple(stacks)


def _mosaic(path: Path, header: Dataset, frames: int, folder: Path) -> _Mosaic:
    name = path.relative_to(folder).as_posix()
    kind = image_kind(header)
    if not is_mosaic(kind) or frames > 1:
        raise CannotNormalizeError(f"{name} is no mosaic, and other images are")
    try:
        size = (int(header.Columns), int(header.Rows))
        return _Mosaic(path, name, size, kind, echo_time(header), timing(header, 0))
    except (ValueError, TypeError, AttributeError) as error:
        raise CannotNormalizeError(f"{name}: {error}") from error


def _order(group: Sequence[_Mosaic]) -> tuple[Any, ...]:
    return group[0].echo or float("inf"), group[0].kind, group[0].size


def _ordered(group: Sequence[_Mosaic]) -> list[_Mosaic]:
    for _, key in _KEYS:
        values = [key(image.timing) for image in group]
        if None not in values and len(set(values)) == len(values):
            return sorted(group, key=lambda image: key(image.timing))
    if len(group) == 1:
        return list(group)
    raise CannotNormalizeError(f"{len(group)} mosaics differ in no element that numbers or times them")


def _write(group: Sequence[_Mosaic], folder: Path, suffix: str, echo: int) -> CopiedStack:
    folder.mkdir()
    names = [image.name for image in group]
    uid = f"2.25.{int.from_bytes(hashlib.sha256(repr((echo, names)).encode()).digest()[: _UID_BITS // 8])}"
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
