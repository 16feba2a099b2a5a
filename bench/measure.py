"""Runs contenders in turn, round by round, and keeps what each round took."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

LAUNCH = Path(__file__).resolve().with_name("launch.py")


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
    removes: bool = False
    """The command removes many files, as an import does with what it staged: the file system rests after it."""


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


REST, MANY = 65, 1000
"""Seconds of rest after so many files were removed. ext4 without a journal gives no inode again within a minute, and looks
through all those that went: whoever makes files then, pays for it."""


def interleaved(contenders: Sequence[Contender], rounds: int, scratch: Path) -> dict[str, list[Sample]]:
    """Run every contender once per round, after one round that only warms the caches.

    Nothing is removed from `scratch`, but by the contenders themselves; what a run wrote is emptied, as disk and cache have
    other use for the room.
    """
    samples: dict[str, list[Sample]] = {contender.name: [] for contender in contenders}
    rested = 0.0
    for number in range(rounds + 1):
        for contender in contenders:
            time.sleep(max(0.0, rested - time.monotonic()))
            folder = Path(tempfile.mkdtemp(dir=scratch))
            sample = run(contender, folder)
            emptied(folder)
            if contender.removes:
                rested = time.monotonic() + REST
            if number:
                samples[contender.name].append(sample)
    return samples


def rest() -> None:
    """Let the file system rest after many files were removed."""
    os.sync()
    time.sleep(REST)


def emptied(folder: Path) -> None:
    """Cut all files to nothing; those with another name elsewhere are the trees' own."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.stat().st_nlink == 1:
            path.chmod(0o600)
            os.truncate(path, 0)


def run(contender: Contender, folder: Path) -> Sample:
    """Run one contender in a fresh folder, and return what it took."""
    if contender.before:
        contender.before(folder)
    command = [str(word) for word in contender.command(folder)]
    os.sync()  # what the run before wrote is not charged to this one
    taken = folder.with_name(f"{folder.name}.json")
    launch = [sys.executable, "-I", "-S", str(LAUNCH), str(taken), *command]
    done = subprocess.run(
        launch, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    text = done.stdout.decode(errors="replace")
    if done.returncode:
        raise RuntimeError(f"{contender.name}: exit {done.returncode} of {' '.join(command)}\n{text[-2000:]}")
    sample = Sample(**json.loads(taken.read_text(encoding="utf-8")))
    if contender.inner:
        sample = replace(sample, **json.loads(text.splitlines()[-1]))
    return Sample(sample.wall / contender.per, sample.cpu / contender.per, sample.peak)


def ratio(theirs: Sequence[Sample], ours: Sequence[Sample], of: str) -> Ratio:
    """Return theirs over ours, `of` being `wall`, `cpu` or `peak`; each round is compared within itself."""
    values = [getattr(one, of) / getattr(other, of) for one, other in zip(theirs, ours, strict=True)]
    return Ratio(statistics.median(values), min(values), max(values))


def median(samples: Sequence[Sample], of: str) -> float:
    """Return the median of one measure."""
    return float(statistics.median(getattr(sample, of) for sample in samples))
