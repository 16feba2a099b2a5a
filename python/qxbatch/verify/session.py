"""Re-reads a session from disk: every ledger row's bytes, every file of an image, every gzip end, every NIfTI header."""

import json
import math
import re
import struct
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from qxbatch.cells import member_path
from qxbatch.core import Monitor, gzip_size, hash_file, hash_gzip, hash_tar_gz
from qxbatch.verify.ledger_file import LedgerRow, read_ledger
from qxbatch.verify.sums import UNREADABLE, Sum, differs, read_sums

Check = Callable[[], list[str]]
"""One piece of the work; returns what is wrong."""

NIFTI_SIZES = (348, 540)


def session_checks(session: Path, monitor: Monitor, *, inbox: Path | None = None) -> list[Check]:
    """Return the checks of a session folder, each to be run on its own (and in parallel).

    `inbox` stands in for the session's own where kept files lie elsewhere (folder mode).

    Raises OSError or ValueError when the ledger itself cannot be read.
    """
    packed: dict[str, dict[str, str]] = {}
    loose: list[LedgerRow] = []
    for row in read_ledger(session / "qxbatch" / "ledger.tsv"):
        if row.fate not in ("sorted", "kept"):
            continue
        container, bang, member = row.at.partition(".tar.gz!")
        if bang and container.startswith("dicom/"):
            # not the row: a packet may have a hundred thousand members
            packed.setdefault(f"{container}.tar.gz", {})[member] = row.content_sha256
        else:
            loose.append(row)
    checks: list[Check] = [partial(_check_pack, session / path, rows, monitor) for path, rows in packed.items()]
    checks += [partial(_check_loose, session, inbox, loose[i : i + 500], monitor) for i in range(0, len(loose), 500)]
    sums, untold = read_sums(session)
    for path in sorted((session / "nii").glob("*.nii.gz")):
        checks.append(partial(_check_image, path, sums.pop(f"nii/{path.name}", None), monitor))
    checks.append(partial(_check_beside, session, sums, monitor))
    checks += [partial(_check_listing, session), partial(_check_summary, session), lambda: untold]
    return checks


def _check_pack(path: Path, rows: dict[str, str], monitor: Monitor) -> list[str]:
    try:
        members = hash_tar_gz(str(path), monitor=monitor)
    except (OSError, ValueError) as error:
        return [_named(path, error)]
    found = {name: digest for name, _, digest in members}
    wrong = [f"{path}: {len(members)} members, the ledger has {len(rows)}"] if len(members) != len(rows) else []
    for name, digest in rows.items():
        if found.get(name) != digest:
            state = "is missing" if name not in found else "has other bytes than the packet's"
            wrong.append(f"{path}: {name} {state}")
    return wrong


def _check_loose(session: Path, inbox: Path | None, rows: Iterable[LedgerRow], monitor: Monitor) -> list[str]:
    wrong = []
    for row in rows:
        path = session / member_path(row.at)
        if inbox is not None and row.at.startswith("inbox/") and not path.exists():
            path = inbox / member_path(row.at.removeprefix("inbox/"))
        try:
            same = _same_bytes(path, row, monitor)
        except (OSError, ValueError) as error:
            wrong.append(_named(path, error))
            continue
        if not same:
            wrong.append(f"{path}: has other bytes than the packet's")
    return wrong


def _same_bytes(path: Path, row: LedgerRow, monitor: Monitor) -> bool:
    """A kept member lies as it came; a sorted one may have gained or lost its gzip."""
    if row.fate == "sorted" and path.suffix == ".gz":
        return hash_gzip(str(path), monitor=monitor)[1] == row.content_sha256
    expected = (row.sha256, row.content_sha256) if row.fate == "kept" else (row.content_sha256,)
    return hash_file(str(path), monitor=monitor)[1] in expected


def _check_image(path: Path, told: Sum | None, monitor: Monitor) -> list[str]:
    """The file is the one that was written (`told` is None where the summary does not say), and its content is an image.

    NIfTI-1 and NIfTI-2: the header's own size comes first, data end where vox_offset and the dimensions say.
    """
    try:
        if told is not None and (why := differs(path, told, monitor)):
            return [f"{path}: {why}"]
        size, head = gzip_size(str(path), NIFTI_SIZES[1], monitor=monitor)
    except (OSError, ValueError) as error:
        return [_named(path, error)]
    expected = _nifti_size(head)
    if expected is None:
        return [f"{path}: is no NIfTI image"]
    return [] if size >= expected else [f"{path}: holds {size} bytes, its header says {expected}"]


def _named(path: Path, error: Exception) -> str:
    """The core's words of damage begin with the path already."""
    return str(error) if str(error).startswith(str(path)) else f"{path}: {error}"


def _check_beside(session: Path, sums: Mapping[str, Sum], monitor: Monitor) -> list[str]:
    """What lies beside the images (.json, .bval, .bvec) is what was written; what is missing is told by another check."""
    wrong = []
    for file, told in sums.items():
        try:
            if (session / file).is_file() and (why := differs(session / file, told, monitor)):
                wrong.append(f"{session / file}: {why}")
        except OSError as error:
            wrong.append(f"{session / file}: {error}")
    return wrong


def _nifti_size(head: bytes) -> int | None:
    for order in "<>":
        if len(head) < NIFTI_SIZES[1] - 192:
            return None
        kind = struct.unpack_from(f"{order}i", head)[0]
        if kind == NIFTI_SIZES[0]:
            dim = struct.unpack_from(f"{order}8h", head, 40)
            bits, offset = (
                struct.unpack_from(f"{order}h", head, 72)[0],
                struct.unpack_from(f"{order}f", head, 108)[0],
            )
        elif kind == NIFTI_SIZES[1] and len(head) == NIFTI_SIZES[1]:
            dim = struct.unpack_from(f"{order}8q", head, 16)
            bits, offset = (
                struct.unpack_from(f"{order}h", head, 14)[0],
                struct.unpack_from(f"{order}q", head, 168)[0],
            )
        else:
            continue
        lengths = dim[1 : 1 + max(0, min(7, dim[0]))]
        size: int = int(offset) + math.prod(max(1, length) for length in lengths) * int(bits) // 8
        return size
    return None


def _check_listing(session: Path) -> list[str]:
    """Every image line of session.txt has its image, and every image its line."""
    if not (session / "session.txt").exists() and not any((session / "nii").glob("*.nii.gz")):
        return []  # sorted, not converted
    text = (session / "session.txt").read_text(encoding="utf-8")
    listed = {m.group(1) for m in re.finditer(r"^(\d+)\s*:", text, re.MULTILINE)}
    present = {p.name.removesuffix(".nii.gz") for p in (session / "nii").glob("*.nii.gz")}
    wrong = [] if f"\nid: {session.name}\n" in text else [f"{session / 'session.txt'}: is not of {session.name}"]
    wrong += [f"{session / 'session.txt'}: image {n} is not in nii" for n in sorted(listed - present)]
    return wrong + [f"{session / 'session.txt'}: does not list image {n}" for n in sorted(present - listed)]


def _check_summary(session: Path) -> list[str]:
    """Every file of an image that the summary tells of is there."""
    path = session / "qxbatch" / "summary.json"
    try:
        told = json.loads(path.read_bytes())
        files = [str(file) for image in told["images"] for file in image["files"]]
    except UNREADABLE as error:
        return [f"{path}: cannot be read ({error})"]
    return [f"{session / file}: is missing" for file in files if not (session / file).is_file()]
