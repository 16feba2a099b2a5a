"""Where the time of a whole job goes, stage by stage."""

import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from bench.bench import Bench, Figure, Figures, Stages
from bench.commands import wait_in_inbox
from bench.measure import MANY, rest
from bench.peers import dcm2niix
from bench.rows.whole import LONG_FILES, LONG_SERIES, many_short
from bench.trees import count, long_series, size, zip_of
from qxbatch.convert.dcm2niix import allocator_settings
from qxbatch.core import gzip_file


def rows(bench: Bench) -> Iterator[Stages | Figures]:
    """Yield the stages of many short series, and of few long ones, each as one zip, and what none can leave out."""
    long = long_series(bench.trees, bench.sources, series=LONG_SERIES, files=bench.files(LONG_FILES))
    for name, tree in (("many short series", many_short(bench)), ("few long series", long)):
        yield one(bench, f"Stages, {name}", tree)
        yield alone(bench, f"Parts alone, {name}", tree)


def one(bench: Bench, work: str, tree: Path) -> Stages:
    """Run one import that tells its stages."""
    folder = Path(tempfile.mkdtemp(dir=bench.scratch))
    sessions = wait_in_inbox(zip_of(tree), folder, "OP1.zip")
    command = [sys.executable, "-m", "bench.stages", str(sessions), str(time.time())]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    if count(tree) > MANY:
        rest()
    taken = {stage: (wall, cpu) for stage, (wall, cpu) in json.loads(done.stdout.splitlines()[-1]).items()}
    return Stages(work, f"{count(tree):,} files, {size(tree) / 1e6:,.0f} MB, one zip", taken)


def alone(bench: Bench, work: str, tree: Path) -> Figures:
    """Measure the CPU time of single parts of the job, on the tree's files as they lie there."""
    folder = Path(tempfile.mkdtemp(dir=bench.scratch))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for series in sorted(tree.iterdir()):
        flags = ["-g", "i", "-z", "n", "-b", "y", "-ba", "y", "-f", series.name]
        command: list[str | Path] = [dcm2niix(), *flags, "-o", folder, series]
        env = {**os.environ, **allocator_settings()}
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=env, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    converting = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    images = sorted(folder.glob("*.nii"))
    compressing = sum(taken(partial(gzip_file, str(image), f"{image}.gz")) for image in images)
    hashing = sum(
        taken(partial(hashlib.sha256, path.read_bytes())) for path in sorted(tree.rglob("*")) if path.is_file()
    )
    figures = (
        Figure("dcm2niix -z n as it is called, one process per series", converting),
        Figure(f"compressing the {len(images)} images, as ours are", compressing),
        Figure("SHA-256 of all files by OpenSSL, twice: as they are read, and as they are read back", 2 * hashing),
    )
    amount = f"Seconds of CPU, one thing after the other; {count(tree):,} files, {size(tree) / 1e6:,.0f} MB"
    return Figures(work, amount, figures)


def taken(work: Callable[[], object]) -> float:
    """Return the CPU seconds of some work."""
    start = time.process_time()
    work()
    return time.process_time() - start
