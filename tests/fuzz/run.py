"""Runs a target on mutations of its seeds, and makes what is found small."""

import random
import time
import traceback
from dataclasses import dataclass, field

from tests.fuzz.mutate import mutated
from tests.fuzz.targets import Target

SLOW = 2.0
"""Seconds for an input of 64 KB at most."""
MOST = 20
"""Finds, after which a run ends."""


@dataclass(frozen=True)
class Find:
    """An input that breaks a promise."""

    data: bytes
    what: str


@dataclass
class Found:
    """What a run came to."""

    executions: int = 0
    seconds: float = 0.0
    finds: list[Find] = field(default_factory=list)


def fuzz(target: Target, executions: int, seed: int = 1) -> Found:
    """Run a target so many times. Finds of one place in the code count once."""
    chance = random.Random(seed)
    found = Found()
    places = set()
    start = time.monotonic()
    while found.executions < executions and len(found.finds) < MOST:
        data = mutated(target.seeds, target.words, chance)
        found.executions += 1
        wrong = broken(target, data)
        if wrong and wrong not in places:
            places.add(wrong)
            found.finds.append(Find(smaller(target, data, wrong), wrong))
    found.seconds = time.monotonic() - start
    return found


def broken(target: Target, data: bytes) -> str:
    """Say which promise an input breaks, and where; empty when it keeps all."""
    start = time.process_time()
    try:
        target.body(data)
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} in {last.name}, line {last.lineno}"
    return "slow" if time.process_time() - start > SLOW else ""


def smaller(target: Target, data: bytes, wrong: str) -> bytes:
    """Take pieces away while the same promise stays broken."""
    size = len(data) // 2
    while size:
        at = 0
        while at < len(data):
            shorter = data[:at] + data[at + size :]
            if broken(target, shorter) == wrong:
                data = shorter
            else:
                at += size
        size //= 2
    return data
