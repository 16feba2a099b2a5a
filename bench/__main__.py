"""python -m bench [--quick] [--scale PART] [--rounds N] [--out FILE] [ROW...]: see bench/run."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import peers, report, sources
from bench.bench import Bench, Figures, Row, Stages
from bench.rows import ALL

REPOSITORY = Path(__file__).resolve().parent.parent
ROUNDS, QUICK_ROUNDS, QUICK = 5, 2, 0.05


def main(argv: list[str]) -> int:
    """Measure the chosen rows and write the report; return the exit status."""
    parser = argparse.ArgumentParser(prog="bench/run", description="Measures qxbatch against its peers.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"{', '.join(ALL)} (default: all of them)")
    parser.add_argument(
        "--quick", action="store_true", help="a twentieth of the files and few rounds; no report is written"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="part of the full number of files (default: 1)")
    parser.add_argument("--rounds", type=int, help=f"rounds of each row (default: {ROUNDS})")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "performance.md", help="the report")
    parser.add_argument(
        "--work",
        type=Path,
        default=Path(tempfile.gettempdir()) / "qxbatch-bench",
        help="made trees, kept",
    )
    wanted = parser.parse_args(argv)
    if unknown := set(wanted.rows) - set(ALL):
        parser.error(f"no row {', '.join(sorted(unknown))}; there are: {', '.join(ALL)}")
    real = sources.find()
    trees = wanted.work / real.key
    trees.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=wanted.work) as scratch:
        bench = Bench(
            trees=trees,
            scratch=Path(scratch),
            sources=real,
            peers=peers.find(),
            rounds=wanted.rounds or (QUICK_ROUNDS if wanted.quick else ROUNDS),
            scale=QUICK if wanted.quick else wanted.scale,
        )
        print("\n".join(report.machine(bench)))
        rows = []
        for row in measured(bench, wanted.rows or list(ALL)):
            rows.append(row)
            if not wanted.quick:  # each time: a run that is ended keeps what it measured
                report.write(wanted.out, bench, rows)
    if not wanted.quick:
        print(f"written: {wanted.out}")
    missed = [text for row in rows for text in report.missed(row)]
    print("\n".join(["", "not met:", *missed] if missed else ["", "all that was wanted is met"]))
    return 0


def measured(bench: Bench, names: list[str]) -> Iterator[Row | Figures | Stages]:
    """Measure rows, printing each as it is done."""
    for name in names:
        for row in ALL[name](bench):
            print("\n".join(["", *report.part(row)]), flush=True)
            yield row


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
