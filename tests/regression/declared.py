"""The declared sets (sets.toml), and their packets."""

import os
import shutil
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from qxbatch.regress.sets import RegressionSet

HERE = Path(__file__).resolve().parent
EXPECTED = HERE / "expected"


@dataclass(frozen=True)
class Declared:
    """One public data set."""

    name: str
    source: str
    commit: str
    licence: str
    input: tuple[str, ...]
    packing: str = ""
    """folder, zip or tar.gz; empty if the input is an archive already."""
    options: tuple[str, ...] = ()
    reference: str | None = None
    quick: bool = False
    folder: str = ""
    """The set's folder if it has another name: that of a variant."""
    each: bool = False
    """Whether each input is a separate packet."""

    def lay_out(self, data: Path, packets: Path) -> RegressionSet:
        """Create the set's packets in a new folder; return the set."""
        packets.mkdir(parents=True)
        folder = data / (self.folder or self.name)
        if self.each:
            for part in self.input:
                files = {path: path.relative_to(folder).as_posix() for path in below(folder / part)}
                pack(files, packets / f"{self.folder or self.name}_{part}", self.packing)
        elif not self.packing:
            (only,) = self.input
            shutil.copyfile(folder / only, packets / f"{self.name}{only.removeprefix('In')}")
        else:
            files = {path: path.relative_to(folder).as_posix() for part in self.input for path in below(folder / part)}
            pack(files, packets / self.name, self.packing)
        reference = folder / self.reference if self.reference else None
        return RegressionSet(self.name, packets, EXPECTED / f"{self.name}.json", self.options, reference)


def below(folder: Path) -> list[Path]:
    """Return the files below a folder, sorted."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def pack(files: dict[Path, str], packet: Path, packing: str) -> None:
    """Write a packet: path -> name in it."""
    if packing == "zip":
        with zipfile.ZipFile(f"{packet}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for path, name in files.items():
                archive.write(path, name)
    elif packing == "tar.gz":
        with tarfile.open(f"{packet}.tar.gz", "w:gz", compresslevel=1) as archive_tar:
            for path, name in files.items():
                archive_tar.add(path, name)
    else:
        for path, name in files.items():
            (packet / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, packet / name)


def declared() -> list[Declared]:
    """Return the sets of sets.toml."""
    tables = tomllib.loads((HERE / "sets.toml").read_text(encoding="utf-8"))["set"]
    for table in tables:
        table.update({key: tuple(value) for key, value in table.items() if isinstance(value, list)})
    return [Declared(**table) for table in tables]


def variants() -> list[Declared]:
    """Return the variants of sets.toml. Missing keys are those of their set, except `reference` (none) and `quick` (false)."""
    sets = {one.name: one for one in declared()}
    tables = tomllib.loads((HERE / "sets.toml").read_text(encoding="utf-8"))["variant"]
    return [_variant(dict(table), sets) for table in tables]


def _variant(table: dict[str, Any], sets: dict[str, Declared]) -> Declared:
    original = sets[table.pop("set")]
    changed: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    defaults: dict[str, Any] = {"folder": original.name, "reference": None, "quick": False}
    return replace(original, **{**defaults, **changed})


def only_quick() -> bool:
    """Return whether only the quick sets are requested (QXBATCH_REGRESSION=quick)."""
    return os.environ.get("QXBATCH_REGRESSION") == "quick"


def updating() -> bool:
    """Return whether to rewrite the expectations (QXBATCH_UPDATE=1): read the change before you keep it."""
    return os.environ.get("QXBATCH_UPDATE") == "1"
