"""Runs a target on mutations of its seeds, and minimises the inputs that break it."""

import random
import time
import traceback
from dataclasses import dataclass, field

from tests.fuzz.mutate import mutated
from tests.fuzz.targets import Target

SLOW = 2.0
"""Maximum CPU seconds for an input of at most 64 KB."""
MOST = 20
"""Number of finds after which a run ends."""


@dataclass(frozen=True)
class Find:
    """An input that breaks an invariant, and a description."""

    data: bytes
    what: str


@dataclass
class Result:
    """The executions, the duration and the finds of a run."""

    executions: int = 0
    seconds: float = 0.0
    finds: list[Find] = field(default_factory=list)


def fuzz(target: Target, executions: int, seed: int = 1) -> Result:
    """Run a target a number of times. Finds at one place in the code count once."""
    rng = random.Random(seed)
    result = Result()
    places = set()
    start = time.monotonic()
    while result.executions < executions and len(result.finds) < MOST:
        data = mutated(target.seeds, target.words, rng)
        result.executions += 1
        wrong = broken_invariant(target, data)
        if wrong and wrong not in places:
            places.add(wrong)
            result.finds.append(Find(smaller(target, data, wrong), wrong))
    result.seconds = time.monotonic() - start
    return result


def broken_invariant(target: Target, data: bytes) -> str:
    """Return the exception of an input and its line, or "slow"; empty if it breaks no invariant."""
    start = time.process_time()
    try:
        target.body(data)
    except Exception as error:  # noqa: BLE001 - any exception is a find
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} in {last.name}, line {last.lineno}"
    return "slow" if time.process_time() - start > SLOW else ""


def smaller(target: Target, data: bytes, wrong: str) -> bytes:
    """Return an input without the parts that it does not need to break the same invariant."""
    size = len(data) // 2
    while size:
        at = 0
        while at < len(data):
            shorter = data[:at] + data[at + size :]
            if broken_invariant(target, shorter) == wrong:
                data = shorter
            else:
                at += size
        size //= 2
    return data
