"""Where each content is: the hash of every file, and of every member of every archive."""

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


def leaves(name: str, data: bytes) -> Iterator[bytes]:
    """Yield the leaves: the file itself if it is not an archive, else its members at any depth."""
    if data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    yield from leaves(info.filename, archive.read(info))
    elif data[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                file = archive.extractfile(member)
                if file is not None:
                    yield from leaves(member.name, file.read())
    elif (opened := _opened(data)) is not None:
        yield from leaves(name, opened)
    else:
        yield data


def _opened(data: bytes) -> bytes | None:
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


def hashes_of(data: bytes, name: str = "") -> set[str]:
    """Return the hashes of the leaves of a file."""
    try:
        return {hashlib.sha256(leaf).hexdigest() for leaf in leaves(name, data)}
    except ERRORS:
        return {hashlib.sha256(data).hexdigest()}


def hashes_below(folder: Path, without: tuple[str, ...] = (), skip: re.Pattern[str] = NEVER) -> set[str]:
    """Return the hashes of all leaves below a folder, without some names on its top level and paths like `skip`."""
    found: set[str] = set()
    for path in folder.rglob("*"):
        relative = path.relative_to(folder)
        if relative.parts[0] in without or skip.fullmatch(relative.as_posix()):
            continue
        if path.is_file() and not path.is_symlink():
            found |= hashes_of(path.read_bytes(), path.name)
    return found
