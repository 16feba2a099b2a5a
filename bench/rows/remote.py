"""A remote disk: each call that names a path takes a round trip to it."""

import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.bench import OURS, Bench, Figure, Figures, Row, Target
from bench.commands import by_hand, inner, qxbatch, wait_in_inbox
from bench.measure import Contender
from bench.peers import dcm2niix
from bench.trees import count, scan_tree, short_series, zip_of

FILES = 300
DELAY = 1000
"""Microseconds that each call with a path takes longer."""


def rows(bench: Bench) -> Iterator[Row | Figures]:
    """Yield a header scan on a slow disk, and how often an import goes to the study's disk."""
    if not bench.has("strace"):
        return
    yield scanned(bench)
    yield imported(bench)


def scanned(bench: Bench) -> Row:
    """Measure the scan with a delay in each call with a path below the tree."""
    tree = scan_tree(bench.trees, bench.sources, FILES)
    slow = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=%file", "-e", f"inject=%file:delay_exit={DELAY}"]

    def contender(name: str, command: Sequence[str]) -> Contender:
        return Contender(name, lambda _: [*slow, *command], inner="bench.inner" in command)

    contenders = [contender(OURS, inner("scan", tree, "1"))]
    contenders.append(contender("pydicom", inner("pydicom_tags", tree)))
    if bench.has("gdcm"):
        contenders.append(contender("gdcm.Scanner", inner("gdcm_scanner", tree)))
    contenders.append(contender("dcm2niix -q l", [str(dcm2niix()), "-q", "l", "-d", "9", "-s", "n", str(tree)]))
    targets = [Target(one.name, "wall", 1) for one in contenders[1:]]
    notes = ["pydicom and gdcm get the list of paths; qxbatch and dcm2niix walk the folder within their time."]
    amount = f"{FILES} files, 1 thread, 1 ms more for each call with a path (by strace)"
    return bench.measure("Header scan on a remote disk", amount, contenders, targets, notes)


def imported(bench: Bench) -> Figures:
    """Count the calls with a path below the study, with and without a work folder elsewhere, and in the manual way."""
    tree = short_series(bench.trees, bench.sources, classic=2, mosaic=4, files=2 * len(bench.sources.classic) + 40)
    packet, files = zip_of(tree), count(tree)
    folder = Path(tempfile.mkdtemp(dir=bench.scratch))
    study = folder / "study"
    own = wait_in_inbox(packet, study / "own", "OP1.zip")
    apart = wait_in_inbox(packet, study / "apart", "OP1.zip")
    (study / "hand").mkdir()
    commands = {
        "qxbatch --work-dir on a local disk": qxbatch(apart, "--quiet", f"--work-dir={folder / 'local'}"),
        "qxbatch": qxbatch(own, "--quiet"),
        "unzip + dcm2niix -z i": by_hand("unzip -q {packet} -d {raw}", packet, study / "hand", "i"),
    }
    found = {name: below(study, command, folder / "trace") / files for name, command in commands.items()}
    first, *others = found
    figures = [Figure(f"{first}: calls per file", found[first], found[others[-1]])]
    figures += [Figure(f"{name}: calls per file", found[name]) for name in others]
    amount = f"Calls with a path on the study's disk for one zip of {files} files; at most as many as in the manual way are wanted"
    return Figures("Import on a remote disk", amount, tuple(figures))


def below(study: Path, command: Sequence[str], log: Path) -> int:
    """Return how many calls of a command named a path below a folder."""
    traced = ["strace", "-f", "-qq", "-y", "-s", "4096", "-o", str(log), "-e", "trace=%file", *command]
    subprocess.run(traced, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    named = re.compile(rf'["<]{re.escape(str(study))}')
    return sum(1 for line in log.read_text(errors="replace").splitlines() if named.search(line))
