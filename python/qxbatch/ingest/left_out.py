"""Members of packets that were left out although images may be in them: which, why, and what to do."""

from collections import Counter
from collections.abc import Container, Sequence
from enum import StrEnum
from typing import NamedTuple

from qxbatch.core import Reading
from qxbatch.ingest import encrypted
from qxbatch.ingest.limits import limits_of
from qxbatch.problems import Code, Problem, Severity
from qxbatch.settings.model import Passwords

SHOWN = 3
"""So many paths of each cause are in the message; the ledger names all."""


class Cause(StrEnum):
    """Why a member was left out; the first ones are those of the core (`Reading.left_out`)."""

    DAMAGED_ARCHIVE = "damaged-archive"
    LIMITED_ARCHIVE = "limited-archive"
    ENCRYPTED_ARCHIVE = "encrypted-archive"
    FOREIGN_ARCHIVE = "foreign-archive"
    UNSORTED = "unsorted"
    EMPTY = "empty"
    NOT_DICOM = "not-dicom"
    TRUNCATED = "truncated"
    """It is sorted; only a conversion reads its pixels."""
    LINK = "link"
    MISSING = "missing"
    """A DICOMDIR lists it."""


_WORDS = {
    Cause.DAMAGED_ARCHIVE: ("archive that cannot be read to its end", "archives that cannot be read to their end"),
    Cause.LIMITED_ARCHIVE: ("archive above a limit", "archives above a limit"),
    Cause.ENCRYPTED_ARCHIVE: ("encrypted archive", "encrypted archives"),
    Cause.FOREIGN_ARCHIVE: ("archive of a kind that is not opened", "archives of a kind that is not opened"),
    Cause.UNSORTED: ("DICOM file that cannot be sorted", "DICOM files that cannot be sorted"),
    Cause.EMPTY: ("file that is empty or filled with zeros", "files that are empty or filled with zeros"),
    Cause.NOT_DICOM: (
        "file that is named like an image and is no DICOM",
        "files that are named like images and are no DICOM",
    ),
    Cause.TRUNCATED: ("DICOM file", "DICOM files"),
    Cause.LINK: ("symbolic link, which is not followed", "symbolic links, which are not followed"),
}
_ADVICE = {
    Cause.DAMAGED_ARCHIVE: "Get a sound copy of the archive.",
    Cause.LIMITED_ARCHIVE: "Unpack an archive above a limit into the packet, or raise the limit that qxbatch/ledger.tsv names.",
    Cause.FOREIGN_ARCHIVE: "Unpack the archive into the packet.",
    Cause.UNSORTED: "Read the reason of each in qxbatch/ledger.tsv.",
    Cause.EMPTY: "Copy these files again from their source.",
    Cause.NOT_DICOM: "Look at these files: they may be damaged.",
    Cause.TRUNCATED: "Copy these files again from their source.",
    Cause.LINK: "Replace links by files (`cp -rL` copies what they point to).",
    Cause.MISSING: "Copy the medium again.",
}


class Member(NamedTuple):
    """One member that was left out."""

    row: int
    """The row of the reading that it belongs to."""
    cause: Cause
    path: str
    """As the ledger writes it."""


class Gap(NamedTuple):
    """A DICOMDIR that lists more files than there are."""

    row: int
    """Its row of the reading."""
    path: str
    listed: int
    """Number of files that it lists."""
    missing: int
    """How many of them are missing."""
    names: tuple[str, ...]
    """Which, as it lists them; empty where copies have other names."""

    def words(self) -> str:
        """Return what is missing as part of a sentence."""
        shown = f" ({_listed(self.names)})" if self.names else ""
        files = "1 file" if self.listed == 1 else f"{self.listed} files"
        return f"{self.path} lists {files}, {self.missing} {_is(self.missing)} missing{shown}"


class LeftOut(NamedTuple):
    """What was left out of the packets of a job."""

    members: tuple[Member, ...] = ()
    gaps: tuple[Gap, ...] = ()
    closed: str = ""
    """What to do about encrypted archives."""
    openable: bool = False
    """A password opens one of them."""
    limits: tuple[str, ...] = ()
    """Parameters whose limits archives are above."""

    def of(self, rows: Container[int]) -> "LeftOut":
        """Return what belongs to some rows of the reading."""
        members = tuple(member for member in self.members if member.row in rows)
        return self._replace(members=members, gaps=tuple(gap for gap in self.gaps if gap.row in rows))

    def with_truncated(self, members: Sequence[tuple[int, str]]) -> "LeftOut":
        """Return it with files whose pixel data are cut short: the row and path of each."""
        return self._replace(members=(*self.members, *(Member(row, Cause.TRUNCATED, path) for row, path in members)))

    def __bool__(self) -> bool:
        """Return whether anything was left out."""
        return bool(self.members or self.gaps)

    def counts(self) -> dict[str, int]:
        """Return the number of members by cause."""
        found = Counter(member.cause for member in self.members)
        found[Cause.MISSING] = sum(gap.missing for gap in self.gaps)
        return {cause.value: found[cause] for cause in Cause if found[cause]}

    def words(self) -> str:
        """Return what was left out, and what is cut short, as a list for a sentence."""
        causes = [cause for cause in Cause if any(member.cause is cause for member in self.members)]
        absent = [
            *(self._words(each) for each in causes if each is not Cause.TRUNCATED),
            *(gap.words() for gap in self.gaps),
        ]
        parts = [f"not imported: {'; '.join(absent)}"] if absent else []
        parts += [f"imported, but cut short: {self._words(Cause.TRUNCATED)}"] if Cause.TRUNCATED in causes else []
        return "; ".join(parts)

    def advice(self) -> str:
        """Return what to do, one sentence for each cause."""
        causes = self.counts()
        sentences = (_ADVICE.get(cause, self.closed) for cause in Cause if cause in causes)
        return " ".join(dict.fromkeys(filter(None, sentences)))

    @property
    def is_locked(self) -> bool:
        """Return whether the same packet, imported again with the right password, gives more."""
        return self.openable and any(member.cause is Cause.ENCRYPTED_ARCHIVE for member in self.members)

    def foreign(self) -> list[str]:
        """Return the paths of archives of kinds that are not opened."""
        return [member.path for member in self.members if member.cause is Cause.FOREIGN_ARCHIVE]

    def problems(self, subject: str) -> list[Problem]:
        """Return one warning, or none where nothing was left out.

        Where only a better packet helps, it says so: to import the same one again would change nothing.
        """
        if not self:
            return []
        again = (
            "Then import the packet again with --overwrite=yes."
            if self.is_locked or self.foreign() or self.limits
            else "Importing the same packet again changes nothing: correct the packet, then import it with --overwrite=yes."
        )
        message = f"{self.words()}."
        return [Problem(Code.LEFT_OUT, subject, message, f"{self.advice()} {again}", Severity.WARNING)]

    def _words(self, cause: Cause) -> str:
        paths = [member.path for member in self.members if member.cause is cause]
        return f"{len(paths)} {_WORDS[cause][len(paths) > 1]} ({_listed(paths)})"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"


def left_out(reading: Reading, passwords: Passwords | None) -> LeftOut:
    """Return what was left out of a reading whose files are still in staging."""
    rows = [(reading.row(index), Cause(cause)) for index, cause in reading.left_out()]
    members = tuple(Member(row.index, cause, row.path) for row, cause in rows)
    gaps = tuple(
        Gap(index, reading.row(index).path, listed, missing, tuple(names))
        for index, listed, missing, names in reading.gaps()
    )
    closed = [row.reason for row, cause in rows if cause is Cause.ENCRYPTED_ARCHIVE]
    limits = limits_of(row.reason for row, cause in rows if cause is Cause.LIMITED_ARCHIVE)
    return LeftOut(
        members,
        gaps,
        encrypted.hint(closed, passwords),
        encrypted.is_openable(closed),
        limits,
    )
