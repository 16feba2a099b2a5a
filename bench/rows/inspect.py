"""Facts and verdicts of a packet, against unpacking it and the converter's JSON."""

import sys
from collections.abc import Iterator
from pathlib import Path

from bench.bench import OURS, Bench, Row, Target
from bench.commands import shell
from bench.measure import Contender
from bench.peers import dcm2niix
from bench.rows.whole import many_short
from bench.trees import count, size, zip_of

JSON = "dcm2niix -b o"
UNPACK_JSON = f"unzip + {JSON}"
NOTE = "Ours counts the volumes that were planned, acquired and complete; the converter's JSON has none of them."


def rows(bench: Bench) -> Iterator[Row]:
    """Yield the inspection of a folder and of a zip."""
    tree = many_short(bench)
    amount = f"{count(tree):,} files, {size(tree) / 1e6:,.0f} MB"
    json = "mkdir {json}; {dcm2niix} -b o -o {json} {tree} > {json}/log || true"
    folder = Contender(JSON, lambda work: shell(json, tree=tree, json=work / "json", dcm2niix=dcm2niix()))
    targets = [Target(JSON, "wall", 1)]
    yield bench.measure("Inspection of a folder", amount, [ours(tree), folder], targets, [NOTE])
    if bench.has("unzip"):
        packet = zip_of(tree)
        both = "mkdir {tree}; unzip -q {packet} -d {tree}; " + json
        zipped = Contender(
            UNPACK_JSON,
            lambda work: shell(both, packet=packet, tree=work / "raw", json=work / "json", dcm2niix=dcm2niix()),
        )
        targets = [Target(UNPACK_JSON, "wall", 1)]
        yield bench.measure("Inspection of a zip", amount, [ours(packet), zipped], targets, [NOTE])


def ours(packet: Path) -> Contender:
    """Return our inspection."""
    return Contender(OURS, lambda _: [sys.executable, "-m", "qxbatch", "inspect", "--json", packet])
