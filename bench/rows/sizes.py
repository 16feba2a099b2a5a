"""Sizes of what is compressed, against gzip -6."""

import gzip
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.bench import Bench, Figure, Figures
from bench.commands import qxbatch, wait_in_inbox
from bench.trees import long_series, short_series, zip_of

MOST = 1.05


def rows(bench: Bench) -> Iterator[Figures]:
    """Yield the sizes of the images and of the packed series, short and long ones."""
    short = short_series(bench.trees, bench.sources, classic=2, mosaic=4, files=2 * len(bench.sources.classic) + 40)
    long = long_series(bench.trees, bench.sources, series=2, files=100)
    for name, tree in (("short", short), ("long", long)):
        folder = bench.scratch / f"sizes-{name}"
        wait_in_inbox(zip_of(tree), folder, "OP1.zip")
        subprocess.run(qxbatch(folder / "sessions", "--quiet"), check=True, stdin=subprocess.DEVNULL)
        session = folder / "sessions" / "OP1"
        figures = (
            Figure(".nii.gz, ours over gzip -6", over_gzip(session.glob("nii/*.nii.gz")), MOST),
            Figure(".tar.gz, ours over gzip -6", over_gzip(session.glob("dicom/*.tar.gz")), MOST),
        )
        shutil.rmtree(folder)
        yield Figures(f"Sizes, {name} series", "All files of one session together", figures)


def over_gzip(paths: Iterable[Path]) -> float:
    """Return the size of gzip files over that of the same content by gzip -6."""
    ours = theirs = 0
    for path in paths:
        content = gzip.decompress(path.read_bytes())
        done = subprocess.run(["gzip", "-6", "-n"], input=content, capture_output=True, check=True)
        ours, theirs = ours + path.stat().st_size, theirs + len(done.stdout)
    return ours / theirs
