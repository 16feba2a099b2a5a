"""Mutations of bytes, reproducible by seed."""

import random
from collections.abc import Sequence

LONGEST = 1 << 16
ODD = (0, 1, 9, 10, 13, 32, 34, 39, 0x7F, 0x80, 0xA0, 0xFE, 0xFF)
NUMBERS = (
    b"0",
    b"-1",
    b"1e999",
    b"nan",
    b"inf",
    b"9" * 19,
    b"9" * 400,
    b"9" * 5000,
    b"0x" + b"f" * 4500,
    b"1_0",
    b"+5",
    b".5",
)


def mutated(seeds: Sequence[bytes], words: Sequence[bytes], rng: random.Random) -> bytes:
    """Return a seed changed one to five times, at most LONGEST bytes."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.randint(1, 5)):
        mutate_once(data, seeds, words, rng)
    return bytes(data[:LONGEST])


def mutate_once(data: bytearray, seeds: Sequence[bytes], words: Sequence[bytes], rng: random.Random) -> None:
    """Change the data in place, once."""
    at = rng.randint(0, len(data))
    end = min(len(data), at + rng.randint(0, 60))
    over = rng.choice((at, end))
    match rng.randrange(9):
        case 0:
            del data[at:end]
        case 1:
            data[at:at] = data[at:end]
        case 2:
            data[at:at] = bytes([rng.choice(ODD)]) * rng.choice((1, 1, 1, 2, 30, 1000))
        case 3:
            other = rng.choice(seeds)
            start = rng.randint(0, len(other))
            data[at:over] = other[start : start + rng.randint(0, 200)]
        case 4:
            data[at:over] = rng.choice(words)
        case 5:
            data[at:over] = rng.choice(words) * rng.choice((2, 5, 300, 3000))
        case 6:
            data[at:over] = rng.choice(NUMBERS)
        case _ if at < len(data):
            data[at] = rng.choice((data[at] ^ (1 << rng.randrange(8)), rng.randrange(256)))
