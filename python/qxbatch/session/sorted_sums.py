"""The checksums of the files that sorting generated, as sha256sum writes them.

The conversion replaces these files by others that contain the same facts and more. A file that no longer has its checksum was
edited by a person.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from qxbatch.core import hash_file
from qxbatch.session.layout import DICOM, DICOM_REPORT, LEDGER_AT, PAGE_AT, SUMMARY_AT
from qxbatch.session.paths import SessionPaths
from qxbatch.textfile import MOST_BYTES, create_text, read_text

GENERATED_FILES = (SUMMARY_AT, PAGE_AT, LEDGER_AT, f"{DICOM}/{DICOM_REPORT}")
"""Relative to the session folder."""
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_MAX_LIST_BYTES = 1 << 16
"""A longer list is not valid."""


def write_sums(paths: SessionPaths) -> None:
    """Write the list of a sorted session. Raises OSError."""
    with create_text(paths.sorted_sums) as file:
        file.write(_text({name: hash_file(str(paths.folder / name))[1] for name in GENERATED_FILES}))


def unchanged_files(paths: SessionPaths) -> set[str]:
    """Return the generated files of a sorted session that nobody changed, relative to it; empty without a valid list."""
    return {name for name, digest in _sums(paths).items() if _is_unchanged(paths.folder / name, digest)}


def has_valid_sums(paths: SessionPaths) -> bool:
    """Return whether a session has a list of checksums, and the list contains nothing but checksums of generated files."""
    return bool(_sums(paths))


def updated_sums(paths: SessionPaths, texts: Mapping[Path, str]) -> dict[Path, str]:
    """Return the path of the list and the text that it must have once `texts` (maps paths to new texts) are written.

    The checksum of a file that a person edited does not change. Empty if `texts` contains no unedited generated file.
    """
    sums = _sums(paths)
    new = {path.relative_to(paths.folder).as_posix(): _digest(text) for path, text in texts.items()}
    new = {name: new[name] for name in unchanged_files(paths) if name in new}
    return {paths.sorted_sums: _text({**sums, **new})} if new else {}


def _sums(paths: SessionPaths) -> dict[str, str]:
    try:
        lines = read_text(paths.sorted_sums, "strict", _MAX_LIST_BYTES).splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    matches = [match for line in lines if (match := _LINE.fullmatch(line))]
    sums = {match[2]: match[1] for match in matches}
    return sums if len(matches) == len(lines) and sums.keys() <= {*GENERATED_FILES} else {}


def _is_unchanged(path: Path, digest: str) -> bool:
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > MOST_BYTES:
            return False  # a larger file is not read
        return hash_file(str(path))[1] == digest
    except OSError:  # it cannot be read
        return False


def _text(sums: Mapping[str, str]) -> str:
    return "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
