"""Reads the files of a session again, to their ends, and compares them with ledger, summary and session.txt."""

import math
import os
import struct
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from qxbatch.core import Monitor, gzip_content_size_and_head, hash_file, hash_gzip_content, hash_tar_gz_members
from qxbatch.ledger_cells import unescape
from qxbatch.os_error import error_text
from qxbatch.session.folder import SIDECARS, SessionFolder
from qxbatch.session.layout import KEPT_AT_PREFIX, SUMMARY_AT, image_numbers_in, is_inner_path, packed_member
from qxbatch.session.ledger import STORED_FATES, Fate, LedgerRow
from qxbatch.session.session_txt import read_session_txt
from qxbatch.session.summary import Summary, SummaryError
from qxbatch.session.summary_parts import SizeAndHash
from qxbatch.verification.checksums import difference, image_checksums

IntegrityCheck = Callable[[], list[str]]
"""One check: returns the faults as text. One of the checks raises OSError when session.txt cannot be read, or is missing although
there are images."""

NIFTI_HEADER_SIZES = (348, 540)
"""Bytes of the header of NIfTI-1, and of NIfTI-2."""
_FILES_PER_CHECK = 500
"""Loose files that one check reads: few enough that all threads have work."""


def session_checks(
    session: Path, monitor: Monitor, *, inbox: Path | None = None, ledger_sha256: str | None = None
) -> list[IntegrityCheck]:
    """Return the checks of a session folder, which can run independently and in parallel.

    `monitor` can cancel them. `inbox` has the kept files that are not in the session (folder mode, `--masterinbox=none`).
    `ledger_sha256` is the hash that the ledger must have.

    Raises OSError or ValueError when the ledger itself cannot be read, and LedgerChangedError if it has another hash.
    """
    folder = SessionFolder(session)
    packed, loose, path_faults = _stored_rows(folder, ledger_sha256)
    checks: list[IntegrityCheck] = [
        partial(_check_pack, session / path, expected, monitor) for path, expected in packed.items()
    ]
    checks += [
        partial(_check_loose, session, inbox, loose[i : i + _FILES_PER_CHECK], monitor)
        for i in range(0, len(loose), _FILES_PER_CHECK)
    ]
    sums, summary_faults = _summary_checksums(folder)
    for path in folder.paths.images():
        checks.append(partial(_check_image, path, sums.pop(path.relative_to(session).as_posix(), None), monitor))
    checks.append(partial(_check_sidecars, session, sums, monitor))
    checks += [partial(_check_listing, folder), lambda: [*path_faults, *summary_faults]]
    return checks


def _stored_rows(
    folder: SessionFolder, sha256: str | None
) -> tuple[dict[str, dict[str, str]], list[LedgerRow], list[str]]:
    """Return the hashes of the members of each packed series, the rows of the other files, and faults of their paths.

    Raises OSError, ValueError.
    """
    packed: dict[str, dict[str, str]] = {}
    loose: list[LedgerRow] = []
    faults = []
    for row in folder.ledger(sha256):
        if row.fate not in STORED_FATES:
            continue
        packed_path = packed_member(row.at)
        if not is_inner_path(row.at if packed_path is None else packed_path[0]):
            faults.append(f"{folder.path}: the ledger names {row.at!r}, which is not below the session")
        elif packed_path is None:
            loose.append(row)
        else:  # only the hash, not the row: a packet may have a hundred thousand members
            archive, name = packed_path
            if packed.setdefault(archive, {}).setdefault(name, row.content_sha256) != row.content_sha256:
                faults.append(f"{folder.path}: the ledger has two members with different bytes at {row.at!r}")
    return packed, loose, faults


def _summary_checksums(folder: SessionFolder) -> tuple[dict[str, SizeAndHash], list[str]]:
    """Return the checksums of image files in the summary, by path below the session, and faults.

    A summary that is missing or cannot be read is a fault, and so is each of its files that is missing or has no checksum, and
    each sidecar of its images that it does not list.
    """
    path = folder.paths.summary
    try:
        summary = folder.summary
    except (OSError, SummaryError) as error:
        return {}, [_fault_text(path, error)]
    if summary is None:
        return {}, [f"{path}: is missing"]
    sums, faults = image_checksums(summary, path)
    files = [folder.path / file for image in summary.images for file in image.files]
    missing = (f"{file}: is missing" for file in files if not file.is_file())
    added = (f"{file}: was added; {SUMMARY_AT} does not list it" for file in _added_sidecars(folder, summary, files))
    return sums, [*missing, *added, *faults]


def _added_sidecars(folder: SessionFolder, summary: Summary, files: Iterable[Path]) -> list[Path]:
    """Return the .json, .bval and .bvec beside images of the summary that are not among its files.

    Programs read such a file with the image, as if the converter had written it.
    """
    sidecars = {folder.paths.image(image.number, kind) for image in summary.images for kind in SIDECARS}
    return sorted(file for file in sidecars.difference(files) if os.path.lexists(file))


def _check_pack(path: Path, expected: dict[str, str], monitor: Monitor) -> list[str]:
    """Check a packed series; `expected` maps the names of its members to their hashes in the ledger."""
    try:
        members = hash_tar_gz_members(str(path), monitor=monitor)
    except (OSError, ValueError) as error:
        return [_fault_text(path, error)]
    digests = {unescape(name): digest for name, _, digest in members}
    faults = (
        [f"{path}: {len(members)} members, the ledger has {len(expected)}"] if len(members) != len(expected) else []
    )
    for name, digest in expected.items():
        if digests.get(name) != digest:
            state = "is missing" if name not in digests else "has other bytes than the packet's"
            faults.append(f"{path}: {name} {state}")
    return faults


def _check_loose(session: Path, inbox: Path | None, rows: Iterable[LedgerRow], monitor: Monitor) -> list[str]:
    """Check files that are not packed; a kept file that is not in the session is read from `inbox`."""
    faults = []
    for row in rows:
        path = session / row.at
        if inbox is not None and row.at.startswith(KEPT_AT_PREFIX) and not path.exists():
            path = inbox / row.at.removeprefix(KEPT_AT_PREFIX)
        try:
            is_unchanged = _has_same_bytes(path, row, monitor)
        except (OSError, ValueError) as error:
            faults.append(_fault_text(path, error))
            continue
        if not is_unchanged:
            faults.append(f"{path}: has other bytes than the packet's")
    return faults


def _has_same_bytes(path: Path, row: LedgerRow, monitor: Monitor) -> bool:
    """Return whether a file has the member's bytes. An import may gzip or gunzip a sorted file, and gunzip a kept one.

    The row of a kept file that is compressed has twice the hash of the compressed bytes: its content is another file.
    With `--unzip=no`, a gzipped member is sorted as it is, also with bytes after the gzip data. Raises OSError, and ValueError when
    a sorted .gz is damaged.
    """
    if row.fate is Fate.SORTED and path.suffix == ".gz":
        try:
            return hash_gzip_content(str(path), monitor=monitor)[1] == row.content_sha256
        except ValueError:
            if hash_file(str(path), monitor=monitor)[1] == row.sha256:
                return True
            raise
    expected = (row.sha256, row.content_sha256) if row.fate is Fate.KEPT else (row.content_sha256,)
    return hash_file(str(path), monitor=monitor)[1] in expected


def _check_image(path: Path, checksum: SizeAndHash | None, monitor: Monitor) -> list[str]:
    """Check that the file is unchanged (`checksum` is None if the summary has none), and that its content is an image.

    The content is an image of NIfTI-1 or NIfTI-2 if the header starts with its own size, and if the file has all bytes that
    vox_offset, bitpix and the dimensions require.
    """
    try:
        if checksum is not None and (why := difference(path, checksum, monitor)):
            return [f"{path}: {why}"]
        size, head = gzip_content_size_and_head(str(path), NIFTI_HEADER_SIZES[1], monitor=monitor)
    except (OSError, ValueError) as error:
        return [_fault_text(path, error)]
    expected = _nifti_size(head)
    if expected is None:
        return [f"{path}: is not a NIfTI image"]
    return [] if size >= expected else [f"{path}: contains {size} bytes, its header says {expected}"]


def _fault_text(path: Path, error: Exception) -> str:
    """Return the text of an error; it starts with the path."""
    text = error_text(error, path)
    return text if text.startswith(str(path)) else f"{path}: {text}"


def _check_sidecars(session: Path, sums: Mapping[str, SizeAndHash], monitor: Monitor) -> list[str]:
    """Check that the files beside the images (.json, .bval, .bvec) are unchanged; another check reports missing ones.

    `sums` has their checksums, by path below the session.
    """
    faults = []
    for file, checksum in sums.items():
        try:
            if (session / file).is_file() and (why := difference(session / file, checksum, monitor)):
                faults.append(f"{session / file}: {why}")
        except OSError as error:
            faults.append(_fault_text(session / file, error))
    return faults


def _nifti_size(head: bytes) -> int | None:
    """Return the number of bytes up to the end of the voxels, by the header of an image; None if it is not a NIfTI header."""
    if len(head) < NIFTI_HEADER_SIZES[0]:
        return None
    for order in "<>":
        header_size = struct.unpack_from(f"{order}i", head)[0]
        if header_size == NIFTI_HEADER_SIZES[0]:
            # offsets of dim, bitpix and vox_offset in the header
            dim = struct.unpack_from(f"{order}8h", head, 40)
            bits, offset = (
                struct.unpack_from(f"{order}h", head, 72)[0],
                struct.unpack_from(f"{order}f", head, 108)[0],
            )
        elif header_size == NIFTI_HEADER_SIZES[1] and len(head) == NIFTI_HEADER_SIZES[1]:
            dim = struct.unpack_from(f"{order}8q", head, 16)
            bits, offset = (
                struct.unpack_from(f"{order}h", head, 14)[0],
                struct.unpack_from(f"{order}q", head, 168)[0],
            )
        else:
            continue
        if not math.isfinite(offset):
            return None
        lengths = dim[1 : 1 + max(0, min(7, dim[0]))]
        size: int = int(offset) + math.prod(max(1, length) for length in lengths) * int(bits) // 8
        return size
    return None


def _check_listing(folder: SessionFolder) -> list[str]:
    """Check the id in session.txt, and that it has a line for each image, and no other image line. Raises OSError."""
    path, images = folder.paths.session_txt, folder.paths.images()
    if not path.exists() and not images:
        return []  # sorted, not converted
    text, image_numbers = read_session_txt(path), image_numbers_in(images)
    listed_numbers = set(text.images)
    faults = [] if text.id == folder.id else [f"{path}: its id is not {folder.id}"]
    faults += [f"{path}: image {n} is not in nii" for n in sorted(listed_numbers - image_numbers)]
    return faults + [f"{path}: does not list image {n}" for n in sorted(image_numbers - listed_numbers)]
