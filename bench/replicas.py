"""Copies of real files that differ where they must: own UIDs, own series and instance numbers, all else as it was.

The bytes are patched instead of written by a library, so that private elements, order and sizes stay real.
"""

import hashlib
from pathlib import Path

PREFIX = b"1.2.826.0.1.3680043.8.498."
SHORTEST = len(PREFIX) + 8
IMPLICIT = b"UI\x12\x001.2.840.10008.1.2\0"
"""The transfer syntax of the meta header: Implicit VR Little Endian (PS3.5, A.1)."""
UIDS = {"instance": b"\x08\x00\x18\x00", "series": b"\x20\x00\x0e\x00", "study": b"\x20\x00\x0d\x00"}
NUMBERS = {
    "series_number": b"\x20\x00\x11\x00",
    "acquisition": b"\x20\x00\x12\x00",
    "instance_number": b"\x20\x00\x13\x00",
}


class Replica:
    """A real file (little endian, not deflated) that gives as many files of its kind as are wanted."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        pixels = data.find(b"\xe0\x7f\x10\x00")
        cut = pixels if pixels > 0 else len(data)
        self.head, self.tail = data[:cut], data[cut:]
        self.implicit = IMPLICIT in self.head[:512]

    def usable(self) -> bool:
        """Say whether the UIDs stand there in a form that can be patched."""
        return all(len(self.text(self.head, tag, b"UI")) >= SHORTEST for tag in UIDS.values())

    def place(self, head: bytes, tag: bytes, vr: bytes) -> tuple[int, int, int] | None:
        """Return where the first element of a tag starts, where its value starts and where it ends."""
        mark = tag if self.implicit else tag + vr
        at = head.find(mark)
        if at < 0:
            return None
        width = 4 if self.implicit else 2
        start = at + len(mark) + width
        return at, start, start + int.from_bytes(head[start - width : start], "little")

    def text(self, head: bytes, tag: bytes, vr: bytes) -> bytes:
        """Return an element's text, without padding; empty when it is absent."""
        found = self.place(head, tag, vr)
        return head[found[1] : found[2]].rstrip(b"\0 ") if found else b""

    def copy(self, *, uids: dict[str, str], numbers: dict[str, int] | None = None) -> bytes:
        """Return the file with other UIDs (made of the given words, as long as they were) and numbers."""
        head = self.head
        for name, words in uids.items():
            old = self.text(head, UIDS[name], b"UI")
            if len(old) >= SHORTEST:
                head = head.replace(old, uid(words, len(old)))
        for name, number in (numbers or {}).items():
            found = self.place(head, NUMBERS[name], b"IS")
            if found:
                head = head[: found[0]] + self.element(NUMBERS[name], b"IS", str(number)) + head[found[2] :]
        return head + self.tail

    def element(self, tag: bytes, vr: bytes, text: str) -> bytes:
        """Return an element as this file writes it."""
        value = text.encode() + b" " * (len(text) % 2)
        if self.implicit:
            return tag + len(value).to_bytes(4, "little") + value
        return tag + vr + len(value).to_bytes(2, "little") + value


def uid(words: str, length: int) -> bytes:
    """Return a UID of exactly this length, the same for the same words."""
    digits = str(int(hashlib.sha256(words.encode()).hexdigest(), 16)).lstrip("0")
    return PREFIX + b"1" + digits[: length - len(PREFIX) - 1].encode()
