"""Packets of every kind, built from a tree: relative path -> bytes."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from tests.build import lz4, lzw, zst
from tests.build.sevenz import sevenz

Tree = Mapping[str, bytes]
TIME = 1_700_000_000


class Kind(StrEnum):
    """How a packet is packed; the value is the end of its name."""

    FOLDER = ""
    ZIP = ".zip"
    SEVENZ = ".7z"
    TAR = ".tar"
    TAR_GZ = ".tar.gz"
    TGZ = ".tgz"
    TAR_BZ2 = ".tar.bz2"
    TAR_BZIP2 = ".tar.bzip2"
    TAR_XZ = ".tar.xz"
    TAR_LZMA = ".tar.lzma"
    TAR_LZ4 = ".tar.lz4"
    TAR_ZST = ".tar.zst"
    TAR_Z = ".tar.Z"
    TARZ = ".tarz"


COMPRESSIONS = {
    Kind.TAR_GZ: lambda data: gzip.compress(data, 1, mtime=0),
    Kind.TGZ: lambda data: gzip.compress(data, 1, mtime=0),
    Kind.TAR_BZ2: lambda data: bz2.compress(data, 1),
    Kind.TAR_BZIP2: lambda data: bz2.compress(data, 1),
    Kind.TAR_XZ: lambda data: lzma.compress(data, preset=0),
    Kind.TAR_LZMA: lambda data: lzma.compress(data, lzma.FORMAT_ALONE, preset=0),
    Kind.TAR_LZ4: lz4.compress,
    Kind.TAR_ZST: zst.compress,
    Kind.TAR_Z: lzw.compress,
    Kind.TARZ: lzw.compress,
}


def read_tree(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder, sorted by path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def under(prefix: str, tree: Tree) -> dict[str, bytes]:
    """Return the tree below another folder."""
    return {f"{prefix}/{path}": data for path, data in tree.items()}


def write_folder(tree: Tree, folder: Path) -> Path:
    """Write the tree below a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for relative, data in tree.items():
        path = folder / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def zipped(tree: Tree, *, stored: bool = False) -> bytes:
    """Return a zip archive."""
    out = io.BytesIO()
    how = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(out, "w", how, compresslevel=None if stored else 1) as archive:
        for path, data in tree.items():
            info = zipfile.ZipInfo(path, (2024, 1, 15, 10, 15, 0))
            info.compress_type = how
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)
    return out.getvalue()


def tarred(tree: Tree, *, form: int = tarfile.PAX_FORMAT) -> bytes:
    """Return a tar archive in one of tarfile's formats."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for path, data in tree.items():
            info = tarfile.TarInfo(path)
            info.size = len(data)
            info.mtime = TIME
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def untar(archive: tarfile.TarFile, folder: Path) -> None:
    """Unpack a tar. Python 3.11.2, which Debian 12 has, knows no filters; later versions warn if none is named."""
    filters: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    archive.extractall(folder, **filters)


def packed(tree: Tree, kind: Kind) -> bytes:
    """Return the bytes of an archive of any kind but FOLDER."""
    if kind is Kind.FOLDER:
        raise ValueError("a folder has no bytes: use write_packet")
    if kind is Kind.ZIP:
        return zipped(tree)
    if kind is Kind.SEVENZ:
        return sevenz(tree)
    data = tarred(tree)
    return COMPRESSIONS[kind](data) if kind in COMPRESSIONS else data


def write_packet(tree: Tree, inbox: Path, name: str, kind: Kind = Kind.ZIP) -> Path:
    """Write `<inbox>/<name><ending of the kind>` and return its path."""
    path = inbox / f"{name}{kind.value}"
    if kind is Kind.FOLDER:
        return write_folder(tree, path)
    inbox.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed(tree, kind))
    return path
