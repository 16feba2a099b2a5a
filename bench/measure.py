"""Runs contenders in turn, round by round, and keeps what each round took."""

import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Sample:
    """What one run took: seconds of wall clock and of CPU (children included), and the largest process in bytes."""

    wall: float
    cpu: float
    peak: int

    @property
    def load(self) -> float:
        """Return how many CPUs were busy on average."""
        return self.cpu / self.wall


@dataclass(frozen=True)
class Contender:
    """A command to be measured. It gets an empty scratch folder, which `before` may fill without being measured."""

    name: str
    command: Callable[[Path], Sequence[str | Path]]
    before: Callable[[Path], object] | None = None
    inner: bool = False
    """The command prints what it took itself, as JSON on its last line: start and imports are left out."""
    per: int = 1
    """Times are divided by this amount of work."""


@dataclass(frozen=True)
class Ratio:
    """Another's time over ours: the median of the rounds, and the least and largest of them."""

    median: float
    low: float
    high: float

    def text(self) -> str:
        """Return the ratio as it stands in the report."""
        digits = 0 if self.median >= 100 else 1 if self.median >= 10 else 2
        return f"{self.median:.{digits}f} ({self.low:.{digits}f} to {self.high:.{digits}f})"


def interleaved(contenders: Sequence[Contender], rounds: int, scratch: Path) -> dict[str, list[Sample]]:
    """Run every contender once per round, after one round that only warms the caches."""
    samples: dict[str, list[Sample]] = {contender.name: [] for contender in contenders}
    for number in range(rounds + 1):
        for contender in contenders:
            sample = run(contender, scratch)
            if number:
                samples[contender.name].append(sample)
    return samples


def run(contender: Contender, scratch: Path) -> Sample:
    """Run one contender in a fresh folder and return what it took."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    try:
        if contender.before:
            contender.before(folder)
        command = [str(word) for word in contender.command(folder)]
        os.sync()  # what the run before wrote is not charged to this one
        with (folder.parent / "output").open("w+b") as output:
            start = time.perf_counter()
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
            _, status, usage = os.wait4(child.pid, 0)
            wall = time.perf_counter() - start
            child.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            text = output.read().decode(errors="replace")
        if child.returncode:
            raise RuntimeError(f"{contender.name}: exit {child.returncode} of {' '.join(command)}\n{text[-2000:]}")
        sample = Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)
        if contender.inner:
            sample = Sample(**json.loads(text.splitlines()[-1]))
        return Sample(sample.wall / contender.per, sample.cpu / contender.per, sample.peak)
    finally:
        shutil.rmtree(folder)


def ratio(theirs: Sequence[Sample], ours: Sequence[Sample], of: str) -> Ratio:
    """Return theirs over ours, `of` being `wall`, `cpu` or `peak`; each round is compared within itself."""
    values = [getattr(one, of) / getattr(other, of) for one, other in zip(theirs, ours, strict=True)]
    return Ratio(statistics.median(values), min(values), max(values))


def median(samples: Sequence[Sample], of: str) -> float:
    """Return the median of one measure."""
    return float(statistics.median(getattr(sample, of) for sample in samples))
