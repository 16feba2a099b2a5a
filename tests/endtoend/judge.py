"""Checks a complete session folder against the members of its packet."""

import gzip
import hashlib
import json
import re
import tarfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import nibabel
import numpy as np
from nibabel.nifti1 import Nifti1Image

from tests.endtoend.session_reader import SessionText, read_session

COLUMNS = ["path", "size", "sha256", "content_sha256", "kind", "fate", "at", "series", "reason"]
FATES = {"sorted", "duplicate", "kept", "opened", "nodata", "refused"}
KINDS = {"dicom", "dicomdir", "par", "rec", "archive", "other", "directory", "link", "device"}
FOUND = re.compile(r"Found (\d+) DICOM file\(s\)")
LedgerCells = dict[str, str]
"""A row of ledger.tsv: the cell of each column."""


def sha256(data: bytes) -> str:
    """Return the hash in the ledger's notation."""
    return hashlib.sha256(data).hexdigest()


def read_ledger(session: Path) -> list[LedgerCells]:
    """Return the ledger's rows, after a check of their columns, fates and kinds."""
    text = (session / "qxbatch" / "ledger.tsv").read_bytes().decode("utf-8")
    assert text.endswith("\n")
    head, *lines = text[:-1].split("\n")
    assert head.split("\t") == COLUMNS
    rows = [dict(zip(COLUMNS, line.split("\t"), strict=True)) for line in lines]
    for row in rows:
        assert row["fate"] in FATES, row
        assert row["kind"] in KINDS, row
    return rows


def unescaped(text: str) -> str:
    """Return the name that a ledger path encodes."""
    data = re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes([int(match[1], 16)]), text.encode())
    return data.decode("utf-8", "surrogateescape")


class Judge:
    """Reads a session once, and checks all its parts."""

    def __init__(self, session: Path) -> None:
        self.session = session
        self.rows = read_ledger(session)
        self.summary = json.loads((session / "qxbatch" / "summary.json").read_text(encoding="utf-8"))
        self.text: SessionText = read_session(session / "session.txt")
        self._packs: dict[str, dict[str, bytes]] = {}

    def check(self, members: Mapping[str, bytes] | None = None) -> "Judge":
        """Check everything; `members` are the files of the packet, path -> bytes. None: they are not compared."""
        if members is not None:
            self.check_members(members)
        self.check_places()
        self.check_no_other_files()
        self.check_images()
        self.check_sums()
        self.check_logs()
        fates = Counter(row["fate"] for row in self.rows)
        counts = self.summary["ledger"]
        assert (counts["rows"], counts["fates"]) == (len(self.rows), dict(fates))
        return self

    def check_members(self, members: Mapping[str, bytes]) -> None:
        """Check that each file of the packet has one row with its size and hash.

        Other rows must be members of archives, folders, links or devices.
        """
        outer = [
            row for row in self.rows if "!" not in row["path"] and row["kind"] not in ("directory", "link", "device")
        ]
        listed = Counter(unescaped(row["path"]).removeprefix("./") for row in outer)
        assert listed == Counter(members.keys())
        for row in outer:
            data = members[unescaped(row["path"]).removeprefix("./")]
            assert (int(row["size"]), row["sha256"]) == (len(data), sha256(data)), row

    def check_sums(self) -> None:
        """Check that the summary has size and hash of each file in nii, and of no others."""
        recorded = {file: each for image in self.summary["images"] for file, each in image["sums"].items()}
        present = {f"nii/{path.name}": path.read_bytes() for path in (self.session / "nii").iterdir()}
        assert recorded == {file: {"size": len(data), "sha256": sha256(data)} for file, data in present.items()}

    def check_places(self) -> None:
        """Check that sorted, kept and duplicate members are where `at` says, and that other rows have no `at`.

        Kept members have a reason, except those of the kind `other`.
        """
        for row in self.rows:
            if row["fate"] in ("sorted", "kept", "duplicate"):
                assert row["at"], row
                data = self.at(row["at"])
                expected = row["sha256"] if row["fate"] == "kept" else row["content_sha256"]
                if row["at"].endswith(".dcm.gz"):
                    data = gzip.decompress(data)
                assert sha256(data) == expected, row
            else:
                assert not row["at"], row
            if row["fate"] == "kept" and row["kind"] != "other":
                assert row["reason"], f"kept without a reason: {row}"

    def at(self, cell: str) -> bytes:
        """Return the bytes that a cell of the column `at` names."""
        container, bang, member = unescaped(cell).partition(".tar.gz!")
        if not bang:
            return (self.session / container).read_bytes()
        return self.pack(f"{container}.tar.gz")[member]

    def pack(self, name: str) -> dict[str, bytes]:
        """Return a packed series: member -> bytes."""
        if name not in self._packs:
            with tarfile.open(self.session / name) as archive:
                files = {info.name: archive.extractfile(info) for info in archive}
                self._packs[name] = {member: file.read() for member, file in files.items() if file}
        return self._packs[name]

    def check_no_other_files(self) -> None:
        """Check that the ledger has all files of inbox and of the series, and no others except those in dicom/log."""
        places = {unescaped(row["at"]) for row in self.rows if row["at"]}
        inbox = (path for path in (self.session / "inbox").rglob("*") if not path.is_dir())
        present = {path.relative_to(self.session).as_posix() for path in inbox}
        for path in (self.session / "dicom").rglob("*"):
            name = path.relative_to(self.session).as_posix()
            if name.endswith(".tar.gz"):
                present |= {f"{name}!{member}" for member in self.pack(name)}
            elif path.is_file() and path.parent.parent == self.session / "dicom" and path.parent.name.isdigit():
                present.add(name)
        assert present == {place for place in places if not place.startswith("dicom/log/")}

    def check_images(self) -> None:
        """Check that each line of session.txt has a readable image, and each image a line."""
        numbers = {int(path.name.partition(".")[0]) for path in (self.session / "nii").glob("*.nii.gz")}
        assert set(self.text.images) == numbers
        assert sorted(image["number"] for image in self.summary["images"]) == sorted(numbers)
        stems = {path.name.partition(".")[0] for path in (self.session / "nii").iterdir()}
        assert stems == {str(number) for number in numbers}
        for number in numbers:
            image = self.image(number)
            assert np.asarray(image.dataobj).shape == image.shape
            sidecar = self.session / "nii" / f"{number}.json"
            if sidecar.exists():
                json.loads(sidecar.read_text(encoding="utf-8"))

    def image(self, number: int) -> Nifti1Image:
        """Return an image."""
        image = nibabel.load(self.session / "nii" / f"{number}.nii.gz")
        assert isinstance(image, Nifti1Image)
        return image

    def check_logs(self) -> None:
        """Check that each series has a log and is in DICOM-Report.txt, and that no log names staging."""
        report = (self.session / "dicom" / "DICOM-Report.txt").read_text(encoding="utf-8")
        for series in self.summary["series"]:
            log = self.session / "dicom" / f"dcm2niix_{series['n']}.log"
            assert log.is_file(), log
            assert str(series["n"]) in report or str(series["n"] // 10) in report
        for path in (self.session / "dicom").glob("*.log"):
            assert ".qxbatch" not in path.read_text(encoding="utf-8", errors="replace")

    def files_in_log(self, n: int) -> int:
        """Return the number of files in the log of series n, as run_qa reads it."""
        matches = FOUND.findall((self.session / "dicom" / f"dcm2niix_{n}.log").read_text(encoding="utf-8"))
        assert len(matches) == 1, matches
        return int(matches[0])

    def states(self) -> dict[int, str]:
        """Return the state of each series' conversion by n."""
        return {series["n"]: series["state"] for series in self.summary["series"]}
