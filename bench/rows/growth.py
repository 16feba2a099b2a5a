"""How the header scan grows with the number of files, and how much memory it takes."""

from collections.abc import Iterator

from bench.bench import OURS, Bench, Row, Target
from bench.commands import inner
from bench.measure import Contender
from bench.trees import count, shaped_trees, tiny_tree

LARGE, SMALLER = 100_000, (1_000, 10_000)
SHAPED = 4_000
LINEAR = (0.85, 1.15)
MEMORY = 200e6


def rows(bench: Bench) -> Iterator[Row]:
    """Yield the time per file of the largest tree against smaller ones, and its memory; then folders of other shapes."""

    def contender(name: str, files: int) -> Contender:
        tree = tiny_tree(bench.trees, bench.sources, files)
        times = max(1, large // files)
        command = inner("scan", tree, str(bench.threads), str(times))
        return Contender(name, lambda _: command, inner=True, per=files * times)

    large, *smaller = (bench.files(number) for number in (LARGE, *SMALLER))
    contenders = [contender(OURS, large), *(contender(f"{files:,} files", files) for files in smaller)]
    targets = [Target(OURS, "peak", most=MEMORY)]
    targets += [Target(f"{files:,} files", "cpu", *LINEAR) for files in smaller]
    notes = [
        "All times are per file: a ratio of 1 is linear growth. Each reads as many files, the smaller ones again and again."
    ]
    amount = f"{large:,} files of 2.3 KB, {bench.threads} threads"
    yield bench.measure("Growth of the header scan", amount, contenders, targets, notes)

    (name, tree), *others = shaped_trees(bench.trees, bench.sources, bench.files(SHAPED)).items()
    contenders = [
        Contender(who, lambda _, place=place: inner("scan", place, str(bench.threads)), inner=True)  # type: ignore[misc]
        for who, place in ((OURS, tree), *others)
    ]
    notes = ["A gzipped header has to be inflated as far as it goes."]
    amount = f"{count(tree):,} files of real size, {name}, {bench.threads} threads"
    yield bench.measure("Header scan of folders of other shapes", amount, contenders, (), notes)
