"""Where the time of a whole job goes, stage by stage."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.bench import Bench, Stages
from bench.commands import wait_in_inbox
from bench.measure import removed
from bench.rows.whole import LONG_FILES, LONG_SERIES, many_short
from bench.trees import count, long_series, size, zip_of


def rows(bench: Bench) -> Iterator[Stages]:
    """Yield the stages of many short series, and of few long ones, each as one zip."""
    yield one(bench, "Stages, many short series", many_short(bench))
    long = long_series(bench.trees, bench.sources, series=LONG_SERIES, files=bench.files(LONG_FILES))
    yield one(bench, "Stages, few long series", long)


def one(bench: Bench, work: str, tree: Path) -> Stages:
    """Run one import that tells its stages; the second one counts, the first only warms the caches."""
    folder = Path(tempfile.mkdtemp(dir=bench.scratch))
    try:
        for name in ("warm", "counted"):
            sessions = wait_in_inbox(zip_of(tree), folder / name, "OP1.zip")
            command = [sys.executable, "-m", "bench.stages", str(sessions), str(time.time())]
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    finally:
        removed(folder)
    taken = {stage: (wall, cpu) for stage, (wall, cpu) in json.loads(done.stdout.splitlines()[-1]).items()}
    return Stages(work, f"{count(tree):,} files, {size(tree) / 1e6:,.0f} MB, one zip", taken)
