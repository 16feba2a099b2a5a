"""The folders and packets that are measured, made of replicated real files and kept between runs."""

import gzip
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from bench.replicas import Replica
from bench.sources import Sources

PER_FOLDER, DEPTH = 200, 50


def once(place: Path, build: Callable[[Path], object]) -> Path:
    """Return a place, built first when it is not there; a build that is cut short leaves nothing."""
    if not place.exists():
        part = place.with_name(f"{place.name}.part")
        if part.is_dir():
            shutil.rmtree(part)
        build(part)
        part.rename(place)
    return place


def scan_tree(root: Path, sources: Sources, count: int) -> Path:
    """Return a folder of `count` files of real size, 200 to a folder."""
    return once(root / f"scan-{count}", lambda folder: write_copies(folder, sources.scan, count))


def tiny_tree(root: Path, sources: Sources, count: int) -> Path:
    """Return a folder of `count` small files, 200 to a folder."""
    return once(root / f"tiny-{count}", lambda folder: write_copies(folder, sources.tiny, count))


def shaped_trees(root: Path, sources: Sources, count: int) -> dict[str, Path]:
    """Return folders of `count` files of real size each, by their shape: 200 to a folder, all in one, each in a folder of
    its own inside that of the one before (up to 50 deep), 200 to a folder and each packed by gzip.
    """
    places: dict[str, Callable[[int], str]] = {
        "flat": lambda k: f"IM{k:06}",
        "deep": lambda k: f"{k // DEPTH:04}/" + "d/" * (k % DEPTH) + "IM",
    }
    trees = {"200 to a folder": scan_tree(root, sources, count)}
    for name, place in places.items():
        write = partial(write_copies, sources=sources.scan, count=count, place=place)
        trees[name] = once(root / f"{name}-{count}", write)
    trees["gzipped"] = once(root / f"gzipped-{count}", lambda folder: write_gzipped(folder, trees["200 to a folder"]))
    return trees


def write_gzipped(folder: Path, tree: Path) -> None:
    """Write each file of a tree as a gzip file."""
    for path in sorted(path for path in tree.rglob("*") if path.is_file()):
        place = folder / path.relative_to(tree).with_name(f"{path.name}.gz")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(gzip.compress(path.read_bytes(), 6))


def in_folders(k: int) -> str:
    """Return the place of the k-th file: 200 to a folder."""
    return f"{k // PER_FOLDER:04}/IM{k % PER_FOLDER:04}"


def write_copies(folder: Path, sources: Sequence[Path], count: int, place: Callable[[int], str] = in_folders) -> None:
    """Write copies of the sources in turn, each with its own UID, each turn with its own series."""
    replicas = [replica for replica in map(Replica, sources) if replica.usable()]
    for k in range(count):
        turn = k // len(replicas)
        words = {"instance": f"i{k}", "series": f"s{turn}", "study": f"t{turn}"}
        path = folder / place(k)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(replicas[k % len(replicas)].copy(uids=words))


def write_series(folder: Path, sources: tuple[Path, ...], number: int, count: int) -> None:
    """Write one series of `count` files under its own number and UID.

    No other series has files of their names: some who unpack put all files into one folder.
    """
    replicas = [Replica(path) for path in sources]
    folder.mkdir(parents=True)
    for k in range(count):
        replica = replicas[k % len(replicas)]
        words = {"instance": f"{number}-{k}", "series": f"series {number}", "study": "study"}
        numbers = {"series_number": number, "instance_number": k + 1}
        if k >= len(replicas):
            numbers["acquisition"] = k + 1
        (folder / f"MR{number:03}{k + 1:05}").write_bytes(replica.copy(uids=words, numbers=numbers))


def short_series(root: Path, sources: Sources, *, classic: int, mosaic: int, files: int) -> Path:
    """Return a study of many short series: each classic one whole, the mosaic ones share the other files."""

    def build(folder: Path) -> None:
        left = files - classic * len(sources.classic)
        for k in range(classic):
            write_series(folder / f"{k + 1:03}", sources.classic, k + 1, len(sources.classic))
        for k in range(mosaic):
            count = left // mosaic + (k < left % mosaic)
            write_series(folder / f"{classic + k + 1:03}", sources.mosaic, classic + k + 1, count)

    return once(root / f"short-named-{classic}-{mosaic}-{files}", build)


def long_series(root: Path, sources: Sources, *, series: int, files: int) -> Path:
    """Return a study of few long series of large mosaics."""

    def build(folder: Path) -> None:
        for k in range(series):
            write_series(folder / f"{k + 1:03}", sources.long, k + 1, files // series)

    return once(root / f"long-named-{series}-{files}", build)


def one_series_each(root: Path, sources: Sources, *, series: int, files: int) -> Path:
    """Return a study of small files in a few series, where only their number matters."""

    def build(folder: Path) -> None:
        for k in range(series):
            write_series(folder / f"{k + 1:03}", sources.tiny[:1], k + 1, files // series)

    return once(root / f"many-{series}-{files}", build)


def tar_of(folder: Path) -> Path:
    """Return a tar of a folder."""
    return once(
        folder.with_name(f"{folder.name}.tar"),
        lambda place: subprocess.run(["tar", "cf", place, "-C", folder, "."], check=True),
    )


def zip_of(folder: Path) -> Path:
    """Return a zip of a folder, deflated as usual."""

    def build(place: Path) -> None:
        with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(folder).as_posix())

    return once(folder.with_name(f"{folder.name}.zip"), build)


def tar_gz_of(folder: Path) -> Path:
    """Return a tar.gz of a folder."""

    def build(place: Path) -> None:
        subprocess.run(["tar", "czf", place, "-C", folder, "."], check=True)

    return once(folder.with_name(f"{folder.name}.tar.gz"), build)


def size(place: Path) -> int:
    """Return the bytes of a file, or of all files below a folder."""
    if place.is_file():
        return place.stat().st_size
    return sum(path.stat().st_size for path in place.rglob("*") if path.is_file())


def count(folder: Path) -> int:
    """Return the number of files below a folder."""
    return sum(path.is_file() for path in folder.rglob("*"))
