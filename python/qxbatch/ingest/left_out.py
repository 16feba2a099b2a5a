"""Members of packets that were left out although images may be in them: which, why, and what to do."""

from collections.abc import Container
from dataclasses import dataclass
from enum import StrEnum

from qxbatch.core import Reading
from qxbatch.ingest import encrypted
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
    Cause.LINK: ("symbolic link, which is not followed", "symbolic links, which are not followed"),
}
_ADVICE = {
    Cause.DAMAGED_ARCHIVE: "Get a sound copy of the archive.",
    Cause.LIMITED_ARCHIVE: "Unpack an archive above a limit into the packet, or raise the limit that qxbatch/ledger.tsv names.",
    Cause.FOREIGN_ARCHIVE: "Unpack the archive into the packet.",
    Cause.UNSORTED: "Read the reason of each in qxbatch/ledger.tsv.",
    Cause.EMPTY: "Copy these files again from their source.",
    Cause.LINK: "Replace links by files (`cp -rL` copies what they point to).",
    Cause.MISSING: "Copy the medium again.",
}


@dataclass(frozen=True)
class Member:
    """One member that was left out."""

    row: int
    """The row of the reading that it belongs to."""
    cause: Cause
    path: str
    """As the ledger writes it; of a missing file as the DICOMDIR lists it."""
    reason: str = ""
    """The reason in the ledger; of a missing file the DICOMDIR."""
    listed: int = 0
    """Of a missing file: the number of files that the DICOMDIR lists."""


@dataclass(frozen=True)
class LeftOut:
    """What was left out of the packets of a job."""

    members: tuple[Member, ...] = ()
    closed: str = ""
    """What to do about encrypted archives."""

    def of(self, rows: Container[int]) -> "LeftOut":
        """Return what belongs to some rows of the reading."""
        return LeftOut(tuple(member for member in self.members if member.row in rows), self.closed)

    def counts(self) -> dict[str, int]:
        """Return the number of members by cause."""
        found = [member.cause for member in self.members]
        return {cause.value: found.count(cause) for cause in Cause if cause in found}

    def words(self) -> str:
        """Return what was left out as a list for a sentence."""
        return ", ".join(self._words(cause) for cause in Cause if self._of(cause))

    def advice(self) -> str:
        """Return what to do, one sentence for each cause."""
        causes = {member.cause for member in self.members}
        sentences = (_ADVICE.get(cause, self.closed) for cause in Cause if cause in causes)
        return " ".join(filter(None, sentences))

    def problems(self, subject: str) -> list[Problem]:
        """Return one warning, or none where nothing was left out."""
        if not self.members:
            return []
        hint = f"{self.advice()} Then put the packet into the inbox again and import it:"
        return [Problem(Code.LEFT_OUT, subject, f"not imported: {self.words()}.", hint, Severity.WARNING)]

    def _of(self, cause: Cause) -> list[Member]:
        return [member for member in self.members if member.cause is cause]

    def _words(self, cause: Cause) -> str:
        members = self._of(cause)
        if cause is Cause.MISSING:
            directories = dict.fromkeys((member.reason, member.listed) for member in members)
            of = " and ".join(f"{listed} files that {path} lists" for path, listed in directories)
            kind = f"of the {of}, but which {'is' if len(members) == 1 else 'are'} missing"
        else:
            kind = _WORDS[cause][len(members) > 1]
        paths = [member.path for member in members[:SHOWN]]
        more = f" and {len(members) - SHOWN} more" if len(members) > SHOWN else ""
        return f"{len(members)} {kind} ({', '.join(paths)}{more})"


def left_out(reading: Reading, passwords: Passwords | None) -> LeftOut:
    """Return what was left out of a reading whose files are still in staging."""
    rows = [(reading.row(index), Cause(cause)) for index, cause in reading.left_out()]
    members = [Member(row.index, cause, row.path, row.reason) for row, cause in rows]
    for index, listed, missing in reading.gaps():
        directory = reading.row(index).path
        members += [Member(index, Cause.MISSING, path, directory, listed) for path in missing]
    closed = [row.reason for row, cause in rows if cause is Cause.ENCRYPTED_ARCHIVE]
    return LeftOut(tuple(members), encrypted.hint(closed, passwords))
