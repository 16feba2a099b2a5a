"""The one pass over an archive: read, check, inflate, hash, parse, write into place."""

from collections.abc import Iterator
from pathlib import Path

from bench.bench import OURS, Bench, Row, Target
from bench.commands import inner, shell
from bench.measure import Contender
from bench.rows.whole import many_short
from bench.trees import count, size, tar_gz_of, zip_of


def rows(bench: Bench) -> Iterator[Row]:
    """Yield the ingest of a zip and of a tar.gz against the programs that only unpack."""
    tree = many_short(bench)
    amount = f"{count(tree):,} files, {size(tree) / 1e6:,.0f} MB"
    if bench.has("unzip"):
        yield one(bench, "zip", zip_of(tree), amount, "unzip -q", "unzip -q {packet} -d {out}", 2.5, tree)
    if bench.has("tar"):
        yield one(bench, "tar.gz", tar_gz_of(tree), amount, "tar xzf", "tar xzf {packet} -C {out}", 2, tree)


def one(bench: Bench, kind: str, packet: Path, amount: str, peer: str, unpack: str, least: float, tree: Path) -> Row:
    """Measure one kind of archive, with one thread and with all."""

    def ours(threads: int) -> Contender:
        name = OURS if threads == bench.threads else f"qxbatch, {threads} thread"
        return Contender(name, lambda folder: inner("ingest", packet, folder / "staging", str(threads)), inner=True)

    text = "mkdir {out}; " + unpack
    contenders = [ours(bench.threads), Contender(peer, lambda folder: shell(text, packet=packet, out=folder / "out"))]
    copy = "cp -r of the files, unpacked before"
    contenders.append(Contender(copy, lambda folder: shell("cp -r {tree} {out}", tree=tree, out=folder / "out")))
    targets = [Target(peer, "cpu", least)]
    if bench.threads > 1:
        contenders.append(ours(1))
        targets += [Target("qxbatch, 1 thread", "wall", 1.7)] if kind == "zip" else []
    notes = [
        "CRC and SHA-256 of every member included; the peer does neither hash nor sort.",
        "Copying shows what the file system alone takes for making and filling these files.",
    ]
    what = f"Ingest alone of a {kind}"
    return bench.measure(what, f"{amount}, {bench.threads} threads", contenders, targets, notes)
