"""System calls for each file of a header scan: on a remote disk each of them may take a round trip."""

import re
import subprocess
from collections.abc import Iterator, Sequence

from bench.bench import Bench, Figure, Figures
from bench.commands import inner
from bench.peers import dcm2niix
from bench.trees import scan_tree

FILES = 2000
PATHS = {"openat", "open", "stat", "lstat", "newfstatat", "statx", "access", "faccessat2", "readlink", "readlinkat"}
READS = {"read", "pread64", "readv", "mmap", "lseek", "getdents64"}
LINE = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$")


def rows(bench: Bench) -> Iterator[Figures]:
    """Yield the calls of qxbatch and of its peers, less those of the bare interpreter."""
    if not bench.has("strace"):
        return
    tree = scan_tree(bench.trees, bench.sources, bench.files(FILES))
    files = bench.files(FILES)
    contenders: dict[str, Sequence[str]] = {"qxbatch": inner("scan", tree, "1"), "pydicom": inner("pydicom_tags", tree)}
    if bench.has("gdcm"):
        contenders["gdcm.Scanner"] = inner("gdcm_scanner", tree)
    contenders["dcm2niix -q l"] = [str(dcm2niix()), "-q", "l", "-d", "9", "-s", "n", str(tree)]
    figures = []
    for name, command in contenders.items():
        calls = traced(command)
        base = traced(inner("nothing")) if "bench.inner" in command else {}
        for what, group in (("calls with a path", PATHS), ("reads and seeks", READS)):
            number = sum(calls.get(call, 0) - base.get(call, 0) for call in group) / files
            figures.append(Figure(f"{name}: {what}, per file", number))
    own, others = figures[0].value, min(figure.value for figure in figures[2::2])
    figures[0] = Figure(figures[0].what, own, others)
    yield Figures("System calls of a header scan", f"{files:,} files; strace, one thread", tuple(figures))


def traced(command: Sequence[str]) -> dict[str, int]:
    """Return how often each system call was made."""
    done = subprocess.run(["strace", "-f", "-c", "-qq", *command], capture_output=True, text=True, check=False)
    matches = (LINE.match(line) for line in done.stderr.splitlines())
    return {match[2]: int(match[1]) for match in matches if match}
