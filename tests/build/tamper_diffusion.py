"""The b-value of one volume changed in one of the vendor's elements."""

from collections.abc import Callable

from pydicom.dataset import Dataset

from tests.build.tamper import Change, Files, volumes

B_VALUE = 350
SIEMENS, GE, PHILIPS, STANDARD, UIH = 0x0019100C, 0x00431039, 0x20011003, 0x00189087, 0x00651009
SEQUENCE_NAME, COMMENTS, CSA = 0x00180024, 0x00204000, 0x00291010


def csa_with(data: bytes, name: bytes, text: bytes) -> bytes | None:
    """Return a CSA header with this text as the first value of a name; the lengths are unchanged."""
    at = data.find(name + b"\0")
    while at >= 0:
        item = at + 84
        length = int.from_bytes(data[item + 4 : item + 8], "little")
        if 0 < length < len(data):
            return data[: item + 16] + text.ljust(length, b"\0")[:length] + data[item + 16 + length :]
        at = data.find(name + b"\0", at + 1)
    return None


def _number(file: Dataset, tag: int) -> None:
    value = file[tag].value
    file[tag].value = b"350 " if isinstance(value, bytes) else type(value)(B_VALUE)


def _ge(file: Dataset, tag: int) -> None:
    value = file[tag].value
    parts = value.decode().split("\\") if isinstance(value, bytes) else [str(part) for part in value]
    text = [str(B_VALUE), *parts[1:]]
    file[tag].value = "\\".join(text).encode() if isinstance(value, bytes) else text


def _name(file: Dataset, tag: int) -> None:
    file[tag].value = f"*ep_b{B_VALUE}#1"


def _comments(file: Dataset, tag: int) -> None:
    text = str(file[tag].value)
    file[tag].value = f"b={B_VALUE}{text[text.find('(') :]}"


def _csa(file: Dataset, tag: int) -> None:
    changed = csa_with(file[tag].value, b"B_value", str(B_VALUE).encode())
    if changed is not None:
        file[tag].value = changed


def in_element(tag: int, change: Callable[[Dataset, int], None]) -> Change:
    """Change an element of the middle volume; None if that changes nothing, as when its files do not have the element."""

    def changed(files: Files) -> Files | None:
        tiled = {"MOSAIC", "VFRAME"} & set(files[0].ImageType)
        all_volumes = [[file] for file in files] if tiled else volumes(files)
        volume = [file for file in all_volumes[len(all_volumes) // 2] if tag in file]
        before = [file[tag].value for file in volume]
        for file in volume:
            change(file, tag)
        return files if before != [file[tag].value for file in volume] else None

    return changed


DIFFUSION: dict[str, Change] = {
    "b-standard": in_element(STANDARD, _number),
    "b-siemens": in_element(SIEMENS, _number),
    "b-csa": in_element(CSA, _csa),
    "b-sequence-name": in_element(SEQUENCE_NAME, _name),
    "b-ge": in_element(GE, _ge),
    "b-philips": in_element(PHILIPS, _number),
    "b-uih": in_element(UIH, _number),
    "b-comments": in_element(COMMENTS, _comments),
}
