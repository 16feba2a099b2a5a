"""The format of the Unix program `compress` (.Z): LZW with codes of 9 to 16 bits in groups of eight."""

FIRST = 257
"""The first code of the table; 256 clears the table, and is not written."""
WIDEST = 16


class _Codes:
    """Collects codes, low bit first; a change of width pads the group of eight, like `compress`."""

    def __init__(self) -> None:
        self.out = bytearray()
        self.bits = 0
        self.bit_count = 0
        self.in_group = 0

    def put(self, code: int, width: int) -> None:
        self.bits |= code << self.bit_count
        self.bit_count += width
        self.in_group = (self.in_group + 1) % 8
        while self.bit_count >= 8:
            self.out.append(self.bits & 0xFF)
            self.bits >>= 8
            self.bit_count -= 8

    def fill_group(self, width: int) -> None:
        while self.in_group:
            self.put(0, width)

    def end(self) -> bytes:
        if self.bit_count:
            self.out.append(self.bits & 0xFF)
        return bytes(self.out)


def compress(data: bytes) -> bytes:
    """Return data as `compress` writes it (block mode, 16 bits; a full table is kept)."""
    codes = _Codes()
    table = {bytes([k]): k for k in range(256)}
    free, width = FIRST, 9
    prefix = b""
    for k in range(len(data)):
        longer = prefix + data[k : k + 1]
        if longer in table:
            prefix = longer
            continue
        codes.put(table[prefix], width)
        if free < 1 << WIDEST:
            # The reader's table is one entry behind: the width grows when the next free code no longer fits.
            if free >= 1 << width:
                codes.fill_group(width)
                width += 1
            table[longer] = free
            free += 1
        prefix = data[k : k + 1]
    if prefix:
        codes.put(table[prefix], width)
    return b"\x1f\x9d" + bytes([0x80 | WIDEST]) + codes.end()
