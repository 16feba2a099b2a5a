"""What a row needs to be measured, and what it gives."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from bench.measure import Contender, Ratio, Sample, interleaved, median, ratio
from bench.peers import Peer
from bench.sources import Sources

OURS = "qxbatch"


def commit() -> str:
    """Return the commit that is measured, with a `+` where files differ from it."""
    here = Path(__file__).resolve().parent
    done = subprocess.run(
        ["git", "-C", here, "describe", "--always", "--dirty=+", "--exclude=*"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


@dataclass(frozen=True)
class Target:
    """What is to be reached: the median ratio of `cpu` or `wall` to one peer, or with OURS as the peer our own median."""

    peer: str
    of: str
    least: float = 0
    most: float = inf


@dataclass(frozen=True)
class Row:
    """One piece of work, measured against its peers."""

    work: str
    amount: str
    """How much of it, for example `5,000 files, 81 series, 306 MB`."""
    ours: tuple[Sample, ...]
    peers: dict[str, tuple[Sample, ...]]
    targets: tuple[Target, ...] = ()
    notes: tuple[str, ...] = ()

    def ratio(self, peer: str, of: str) -> Ratio:
        """Return a peer's time over ours."""
        return ratio(self.peers[peer], self.ours, of)

    def met(self, target: Target) -> bool | None:
        """Say whether a target is met; None when its peer is absent."""
        if target.peer == OURS:
            value = self.median(target.of)
        elif target.peer in self.peers:
            value = self.ratio(target.peer, target.of).median
        else:
            return None
        return target.least <= value <= target.most

    def median(self, of: str) -> float:
        """Return our median."""
        return median(self.ours, of)


@dataclass(frozen=True)
class Figure:
    """One counted thing, and the largest value that is wanted."""

    what: str
    value: float
    most: float = inf

    @property
    def met(self) -> bool:
        """Say whether the value is as wanted."""
        return self.value <= self.most


@dataclass(frozen=True)
class Figures:
    """Things that are counted, not timed."""

    work: str
    amount: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stages:
    """What each stage of one run took: seconds of wall clock and of CPU."""

    work: str
    amount: str
    taken: dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Bench:
    """Where and with what is measured."""

    trees: Path
    """Made trees, kept between runs."""
    scratch: Path
    sources: Sources
    peers: dict[str, Peer]
    rounds: int
    scale: float = 1.0
    """Part of the full number of files."""
    threads: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))
    load: float = field(default_factory=lambda: os.getloadavg()[0])
    """Of the machine, before anything was measured."""
    commit: str = field(default_factory=commit)
    """Before the report is rewritten."""

    def has(self, peer: str) -> bool:
        """Say whether a peer is here."""
        return self.peers[peer].version is not None

    def files(self, full: int) -> int:
        """Return the number of files to take in place of the full one."""
        return max(20, round(full * self.scale))

    def measure(
        self,
        work: str,
        amount: str,
        contenders: Sequence[Contender],
        targets: Sequence[Target] = (),
        notes: Sequence[str] = (),
    ) -> Row:
        """Measure the contenders against each other; the one named `qxbatch` is ours."""
        samples = interleaved(contenders, self.rounds, self.scratch)
        ours = tuple(samples.pop(OURS))
        peers = {name: tuple(taken) for name, taken in samples.items()}
        return Row(work, amount, ours, peers, tuple(targets), tuple(notes))
