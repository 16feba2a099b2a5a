"""Many packets at once, and one with very many files."""

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.bench import OURS, Bench, Figure, Figures, Row, Target
from bench.commands import inner, wait_in_inbox
from bench.measure import MANY, Contender, rest, run
from bench.trees import count, one_series_each, short_series, size, tar_of, zip_of

PACKETS, BUSY = 40, 0.9
FILES, SERIES, MEMORY = 100_000, 20, 300e6


def rows(bench: Bench) -> Iterator[Row | Figures]:
    """Yield how busy 40 packets keep the CPUs, and the memory that 100,000 files take."""
    tree = short_series(bench.trees, bench.sources, classic=1, mosaic=4, files=len(bench.sources.classic) + 16)
    packet = zip_of(tree)
    packets = max(4, round(PACKETS * bench.scale))

    def fill(folder: Path) -> None:
        wait_in_inbox(packet, folder, "OP00.zip")
        for k in range(1, packets):
            (folder / "sessions" / "inbox" / "MR" / f"OP{k:02}.zip").hardlink_to(packet)

    ours = Contender(
        OURS,
        lambda folder: [sys.executable, "-m", "bench.busy", folder / "sessions", str(time.time()), str(bench.threads)],
        before=fill,
        inner=True,
        removes=packets * count(tree) > MANY,
    )
    targets = [Target(OURS, "load", least=BUSY * bench.threads)]
    amount = f"{packets} packets of {count(tree)} files in 5 series, {size(tree) / 1e6:.0f} MB each"
    notes = ["From the start of the command until fewer packets are left than there are CPUs."]
    yield bench.measure("Many packets at once", amount, [ours], targets, notes)

    files = bench.files(FILES)
    many = tar_of(one_series_each(bench.trees, bench.sources, series=SERIES, files=files))
    ours = Contender(
        OURS,
        lambda folder: inner("imported", folder / "sessions"),
        before=lambda folder: wait_in_inbox(many, folder, "OP1.tar"),
        inner=True,
    )
    sample = run(ours, Path(tempfile.mkdtemp(dir=bench.scratch)))
    if files > MANY:
        rest()
    figures = (
        Figure("largest memory of qxbatch itself, converters apart, MB", sample.peak / 1e6, MEMORY / 1e6),
        Figure("seconds", sample.wall),
    )
    yield Figures("Memory of one large packet", f"{files:,} files of 2.3 KB, one tar, one run", figures)
