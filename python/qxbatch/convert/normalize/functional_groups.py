"""Headers of the frames of an enhanced object, in the form of a classic object (PS3.3 C.7.6.16)."""

from collections.abc import Iterator

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

SHARED, PER_FRAME = Tag("SharedFunctionalGroupsSequence"), Tag("PerFrameFunctionalGroupsSequence")
PHILIPS_CLASSIC = Tag(0x2005, 0x140F)
"""Philips stores the elements of the classic object in this sequence."""
_PHILIPS_CREATOR = (Tag(0x2005, 0x0014), "Philips MR Imaging DD 005")
"""The private creator of PHILIPS_CLASSIC: its tag and its value."""
_SIEMENS_BLOCKS = {"SIEMENS MR SDS 01": 0x10, "SIEMENS MR SDI 02": 0x11, "SIEMENS MR SDR 01": 0x12}
"""Blocks of group 0021 that Siemens reserves in classic objects, by creator.

The object that is read can have them at other numbers: a PACS may have moved them (PS3.5 7.8.1).
"""
_SIEMENS_GROUP = 0x0021
_KEPT_SEQUENCES = frozenset(
    Tag(keyword) for keyword in ("ReferencedImageSequence", "DerivationImageSequence", "RealWorldValueMappingSequence")
)
"""Sequences that classic objects have too."""
_OBJECT_IDENTIFIERS = frozenset(
    Tag(keyword) for keyword in ("SOPInstanceUID", "SOPClassUID", "InstanceNumber", "SeriesInstanceUID")
)
"""Elements that are not copied from Philips' classic header: they would identify another object."""
_DEPTH = 2
"""Levels of sequences that are flattened: MRDiffusionSequence, for example, and DiffusionGradientDirectionSequence in it."""


def is_enhanced(header: Dataset) -> bool:
    """Return whether an object has functional groups."""
    return PER_FRAME in header or SHARED in header


def frame_header(header: Dataset, index: int) -> Dataset:
    """Return the header of one frame, with the elements of its functional groups at the top level.

    Values of the frame replace shared ones, and both replace those of the object. Philips' classic header adds what is
    missing, and its ImageType replaces that of the object. An element that Siemens stores in another block in classic
    objects is moved to that block (`_siemens_tag`). Any other private element is left out if another creator has its block.
    """
    flat = Dataset({tag: element for tag, element in header.items() if tag not in (SHARED, PER_FRAME)})
    philips: list[Dataset] = []
    implicit, little = header.original_encoding
    flat.set_original_encoding(implicit, little, header.original_character_set)
    for groups in _items(header, index):
        for tag in list(groups.keys()):
            if tag == PHILIPS_CLASSIC and _is_philips(groups):
                philips += groups[tag].value
            else:
                _merge(flat, groups, tag, _DEPTH)
    for classic in philips:
        _add_philips_elements(flat, classic)
    return flat


def _is_philips(groups: Dataset) -> bool:
    tag, name = _PHILIPS_CREATOR
    return tag in groups and groups[tag].value == name


def _items(header: Dataset, index: int) -> Iterator[Dataset]:
    """Yield the shared functional groups and those of one frame, as far as they exist."""
    if shared := header.get("SharedFunctionalGroupsSequence"):
        yield shared[0]
    if PER_FRAME in header and index < len(header.PerFrameFunctionalGroupsSequence):
        yield header.PerFrameFunctionalGroupsSequence[index]


def _merge(flat: Dataset, item: Dataset, tag: BaseTag, depth: int) -> None:
    """Add one element of a functional group to the top level.

    A sequence of one item is replaced by the elements of that item, down to `depth` levels.
    """
    element = item[tag]
    target = _siemens_tag(item, tag)
    if target == tag and _creator_differs(flat, item, tag):
        return
    single = element.VR == "SQ" and len(element.value) == 1 and tag not in _KEPT_SEQUENCES
    if single and depth:
        inner = element.value[0]
        for nested in list(inner.keys()):
            _merge(flat, inner, nested, depth - 1)
    elif target == tag:
        flat[tag] = element
    else:
        flat[target] = DataElement(target, element.VR, element.value)


def _siemens_tag(item: Dataset, tag: BaseTag) -> BaseTag:
    """Return the tag that a private element has in Siemens' classic objects; the tag itself for other elements."""
    if tag.group != _SIEMENS_GROUP:
        return tag
    block = tag.element if tag.is_private_creator else tag.element >> 8
    creator = item.get(Tag(_SIEMENS_GROUP, block))
    usual = _SIEMENS_BLOCKS.get(str(creator.value)) if creator is not None else None
    if usual is None or usual == block:
        return tag
    return Tag(_SIEMENS_GROUP, usual if tag.is_private_creator else (usual << 8) | (tag.element & 0xFF))


def _add_philips_elements(flat: Dataset, classic: Dataset) -> None:
    """Add the elements that only the classic header has, and its ImageType, which names the kind of image (M, P, R, I)."""
    for tag in list(classic.keys()):
        if tag in _OBJECT_IDENTIFIERS or (tag in flat and tag != Tag("ImageType")):
            continue
        if not _creator_differs(flat, classic, tag):
            flat[tag] = classic[tag]


def _creator_differs(flat: Dataset, item: Dataset, tag: BaseTag) -> bool:
    """Return whether another creator reserves the private block of `tag` at the top level (PS3.5 7.8.1)."""
    if not tag.is_private:
        return False
    creator = tag if tag.is_private_creator else Tag(tag.group, tag.element >> 8)
    if creator not in flat or creator not in item:
        return False
    return bool(flat[creator].value != item[creator].value)
