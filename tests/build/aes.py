"""AES (FIPS 197) in WinZip's counter mode, to build packets: slow, and not for protection."""


def _double(value: int) -> int:
    return (value << 1) ^ (0x11B if value & 0x80 else 0)


def _times(value: int, factor: int) -> int:
    """Multiply in the field of 256 elements."""
    product = 0
    while factor:
        if factor & 1:
            product ^= value
        value, factor = _double(value), factor >> 1
    return product


def _turned(value: int, by: int) -> int:
    return (value << by | value >> (8 - by)) & 0xFF


def _box() -> bytes:
    inverse = [0] * 256
    for a in range(1, 256):
        inverse[a] = next(b for b in range(1, 256) if _times(a, b) == 1) if not inverse[a] else inverse[a]
        inverse[inverse[a]] = a
    turns = ((v ^ _turned(v, 1) ^ _turned(v, 2) ^ _turned(v, 3) ^ _turned(v, 4) ^ 0x63) for v in inverse)
    return bytes(turns)


BOX = _box()
DOUBLE = bytes(_double(value) for value in range(256))


def round_keys(key: bytes) -> list[bytes]:
    """Return the keys of all rounds, 16 bytes each."""
    words = [key[at : at + 4] for at in range(0, len(key), 4)]
    count, constant = len(words), 1
    while len(words) < 4 * (count + 7):
        word = words[-1]
        if len(words) % count == 0:
            word = bytes(BOX[byte] for byte in word[1:] + word[:1])
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = _double(constant)
        elif count == 8 and len(words) % count == 4:
            word = bytes(BOX[byte] for byte in word)
        words.append(bytes(a ^ b for a, b in zip(word, words[-count], strict=True)))
    return [b"".join(words[at : at + 4]) for at in range(0, len(words), 4)]


def block(keys: list[bytes], data: bytes) -> bytes:
    """Return one block of 16 bytes encrypted."""
    state = bytes(a ^ b for a, b in zip(data, keys[0], strict=True))
    for number, key in enumerate(keys[1:], 1):
        shifted = [BOX[state[(at + 4 * (at % 4)) % 16]] for at in range(16)]
        if number < len(keys) - 1:
            shifted = [value for column in range(0, 16, 4) for value in _mixed(shifted[column : column + 4])]
        state = bytes(a ^ b for a, b in zip(shifted, key, strict=True))
    return state


def _mixed(column: list[int]) -> list[int]:
    whole = column[0] ^ column[1] ^ column[2] ^ column[3]
    return [column[k] ^ whole ^ DOUBLE[column[k] ^ column[(k + 1) % 4]] for k in range(4)]


def counter_mode(key: bytes, data: bytes) -> bytes:
    """Return data encrypted with a counter that starts at 1, lowest byte first; encrypting again decrypts it."""
    keys, out = round_keys(key), bytearray()
    for at in range(0, len(data), 16):
        mask = block(keys, (at // 16 + 1).to_bytes(16, "little"))
        out += bytes(a ^ b for a, b in zip(data[at : at + 16], mask, strict=False))
    return bytes(out)
