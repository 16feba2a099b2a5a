"""The header scan, called from Python: the walk and all fields, warm."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

from bench.bench import OURS, Bench, Row, Target
from bench.commands import inner, shell
from bench.inner import TAGS
from bench.measure import Contender
from bench.trees import count, once, scan_tree, size

FILES = 20_000
HEADER = 64 << 10


def rows(bench: Bench) -> Iterator[Row]:
    """Yield the scan against the limit of the file system, gdcm and pydicom."""
    tree = scan_tree(bench.trees, bench.sources, bench.files(FILES))

    def warm(_: Path) -> None:
        """Read the headers: what lay idle while slow peers ran may have left the cache."""
        for path in tree.rglob("*"):
            if path.is_file():
                with path.open("rb") as file:
                    file.read(HEADER)

    contenders = [Contender(OURS, lambda _: inner("scan", tree, str(bench.threads)), before=warm, inner=True)]
    targets = [Target("openat + pread 4 KB + close, in C", "wall", 0.5)]
    if bench.has("cc"):
        command = floor_command(bench, tree)
        contenders.append(Contender(targets[0].peer, lambda _: command, before=warm, inner=True))
    if bench.has("gdcm"):
        contenders.append(Contender("gdcm.Scanner", lambda _: inner("gdcm_scanner", tree), inner=True))
        targets.append(Target("gdcm.Scanner", "cpu", 100))
    if bench.has("dcmtk"):
        contenders.append(Contender("dcmdump of dcmtk, the same tags", lambda _: dcmdump_command(tree)))
    pydicom = "pydicom, specific tags, stop before pixels"
    contenders.append(Contender(pydicom, lambda _: inner("pydicom_tags", tree), inner=True))
    targets.append(Target(pydicom, "cpu", 300))
    amount = f"{count(tree):,} files, {size(tree) / 1e6:,.0f} MB, {bench.threads} threads"
    notes = ["The others get the list of paths; qxbatch and nobody else walks the folder within its time."]
    yield bench.measure("Header scan from Python", amount, contenders, targets, notes)


def floor_command(bench: Bench, tree: Path) -> list[str]:
    """Return the C loop over the tree's files, compiled first where it is not there yet."""
    source = Path(__file__).resolve().parent.parent / "floor.c"
    program = bench.trees / "floor"
    subprocess.run(["cc", "-O2", "-pthread", "-o", program, source], check=True)
    return shell(
        "{program} {threads} < {listing}", program=program, threads=str(bench.threads), listing=listing_of(tree)
    )


def dcmdump_command(tree: Path) -> list[str]:
    """Return dcmtk's printing of the tags, over the same list."""
    wanted = " ".join(f"+P {tag}" for tag in TAGS)
    return shell(f"xargs -d '\\n' -a {{listing}} dcmdump -q -M {wanted} >/dev/null", listing=listing_of(tree))


def listing_of(tree: Path) -> Path:
    """Return a file with the paths of a tree, one a line, made first where it is not there yet."""
    paths = sorted(str(path) for path in tree.rglob("*") if path.is_file())
    return once(tree.with_name(f"{tree.name}.list"), lambda place: place.write_text("\n".join(paths) + "\n"))
