"""The whole job on one packet, against the manual way to unpack and convert."""

from collections.abc import Callable, Iterator
from pathlib import Path

from bench.bench import OURS, Bench, Row, Target
from bench.commands import by_hand, qunex, qxbatch, wait_in_inbox
from bench.measure import MANY, Contender
from bench.trees import count, long_series, short_series, size, zip_of

CLASSIC, MOSAIC, FILES = 27, 54, 5000
LONG_SERIES, LONG_FILES = 4, 2000
BY_HAND = "unzip + dcm2niix -z "
QUNEX = "QuNex import_dicom"
SHORT = {f"{BY_HAND}i": 1.8, f"{BY_HAND}y": 2.5}
LONG = {f"{BY_HAND}i": 2.0}
TIMES_QUNEX = 10
"""How many times as fast as another each job is wanted to be."""
NOTE = (
    "Ours sorts, packs, hashes, verifies, writes session.txt and archives the packet; the manual way does none of that."
)


def many_short(bench: Bench) -> Path:
    """Return the study of many short series, at full size or scaled down."""
    classic, mosaic = (max(1, round(number * bench.scale)) for number in (CLASSIC, MOSAIC))
    # The mosaic series share what the classic ones leave of the files.
    files = max(bench.files(FILES), classic * len(bench.sources.classic) + 2 * mosaic)
    return short_series(bench.trees, bench.sources, classic=classic, mosaic=mosaic, files=files)


def short(bench: Bench) -> Iterator[Row]:
    """Yield many short series as one zip."""
    if bench.has("unzip"):
        yield one(bench, "Whole job, many short series, one zip", many_short(bench), SHORT)


def reference(bench: Bench) -> Iterator[Row]:
    """Yield many short series as one zip, against QuNex. A separate row: what QuNex removes slows the next run."""
    if not bench.has("qunex"):
        return
    tree = many_short(bench)

    def theirs(folder: Path) -> list[str]:
        return qunex(folder / "sessions", bench.threads)

    other = Contender(QUNEX, theirs, before=waiting(tree), removes=count(tree) > MANY)
    targets = [Target(QUNEX, "wall", TIMES_QUNEX)]
    yield bench.measure("Whole job, many short series, against QuNex", amount(tree), [ours(tree), other], targets)


def long(bench: Bench) -> Iterator[Row]:
    """Yield few long series as one zip."""
    if not bench.has("unzip"):
        return
    study = long_series(bench.trees, bench.sources, series=LONG_SERIES, files=bench.files(LONG_FILES))
    yield one(bench, "Whole job, few long series, one zip", study, LONG)


def one(bench: Bench, work: str, tree: Path, least: dict[str, float]) -> Row:
    """Measure the whole job on a study as one zip, against the manual way; `least` holds the targets by peer."""
    packet = zip_of(tree)
    contenders = [ours(tree)]
    for way in ("i", "y"):
        if way == "i" or bench.has("pigz"):
            contenders.append(
                Contender(
                    f"{BY_HAND}{way}",
                    lambda folder, way=way: by_hand("unzip -q {packet} -d {raw}", packet, folder, way),  # type: ignore[misc]
                )
            )
    targets = [Target(peer, "wall", value) for peer, value in least.items()]
    return bench.measure(work, amount(tree), contenders, targets, [NOTE])


def ours(tree: Path) -> Contender:
    """Return our import of a study as one zip."""

    def command(folder: Path) -> list[str]:
        return qxbatch(folder / "sessions", "--parelements=all", "--quiet")

    return Contender(OURS, command, before=waiting(tree), removes=count(tree) > MANY)


def waiting(tree: Path) -> Callable[[Path], Path]:
    """Return what puts a study as one zip into an inbox."""
    packet = zip_of(tree)
    return lambda folder: wait_in_inbox(packet, folder, "OP1.zip")


def amount(tree: Path) -> str:
    """Say how much a study is."""
    series = sum(1 for _ in tree.iterdir())
    return f"{count(tree):,} files, {series} series, {size(tree) / 1e6:,.0f} MB"
