"""The hashes of contents: of every file, and of every member of an archive at any depth."""

import bz2
import gzip
import hashlib
import io
import lzma
import re
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

NEVER = re.compile(r"(?!)")
ERRORS = (OSError, EOFError, ValueError, tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError)


def leaves(data: bytes) -> Iterator[bytes]:
    """Yield the leaves of a file: its decompressed content, or the members of an archive, at any depth."""
    if data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    yield from leaves(archive.read(info))
    elif data[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                file = archive.extractfile(member)
                if file is not None:
                    yield from leaves(file.read())
    elif (content := _decompressed(data)) is not None:
        yield from leaves(content)
    else:
        yield data


def _decompressed(data: bytes) -> bytes | None:
    try:
        if data[:2] == b"\x1f\x8b":
            return gzip.decompress(data)
        if data[:3] == b"BZh":
            return bz2.decompress(data)
        if data[:6] == b"\xfd7zXZ\x00":
            return lzma.decompress(data)
    except ERRORS:
        return None
    return None


def hashes_of(data: bytes) -> set[str]:
    """Return the hashes of the leaves of a file; of a damaged archive, the hash of the file itself."""
    try:
        return {hashlib.sha256(leaf).hexdigest() for leaf in leaves(data)}
    except ERRORS:
        return {hashlib.sha256(data).hexdigest()}


def hashes_below(folder: Path, without: tuple[str, ...] = (), skip: re.Pattern[str] = NEVER) -> set[str]:
    """Return the hashes of all leaves below a folder, except its entries `without`, paths that match `skip`, and links."""
    hashes: set[str] = set()
    for path in folder.rglob("*"):
        relative = path.relative_to(folder)
        if relative.parts[0] in without or skip.fullmatch(relative.as_posix()):
            continue
        if path.is_file() and not path.is_symlink():
            hashes |= hashes_of(path.read_bytes())
    return hashes
