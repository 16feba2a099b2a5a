"""Members of packets that may contain images but were not imported, or were cut short, with causes and advice."""

from collections import Counter
from collections.abc import Container, Sequence
from enum import StrEnum
from typing import NamedTuple

from qxbatch.core import Reading
from qxbatch.ingest import encrypted
from qxbatch.ingest.limits import Limits, exceeded_parameters, larger_limits
from qxbatch.problems import Code, Problem, Severity
from qxbatch.settings.model import Passwords

MAX_PATHS = 3
"""Maximum number of paths of each cause in a message."""


class Cause(StrEnum):
    """Why a member was left out or cut short: all causes of the core (`Reading.left_out`), TRUNCATED and MISSING."""

    DAMAGED_ARCHIVE = "damaged-archive"
    LIMITED_ARCHIVE = "limited-archive"
    ENCRYPTED_ARCHIVE = "encrypted-archive"
    FOREIGN_ARCHIVE = "foreign-archive"
    UNSORTED = "unsorted"
    EMPTY = "empty"
    NOT_DICOM = "not-dicom"
    TRUNCATED = "truncated"
    """The file is sorted; the conversion found that it is cut short."""
    LINK = "link"
    MISSING = "missing"
    """A DICOMDIR lists a file that does not exist."""


_WORDS = {
    Cause.DAMAGED_ARCHIVE: ("archive that cannot be read to its end", "archives that cannot be read to their end"),
    Cause.LIMITED_ARCHIVE: ("archive above a limit", "archives above a limit"),
    Cause.ENCRYPTED_ARCHIVE: ("encrypted archive", "encrypted archives"),
    Cause.FOREIGN_ARCHIVE: ("archive of an unsupported kind", "archives of an unsupported kind"),
    Cause.UNSORTED: ("DICOM file that cannot be sorted", "DICOM files that cannot be sorted"),
    Cause.EMPTY: ("file that is empty or filled with zeros", "files that are empty or filled with zeros"),
    Cause.NOT_DICOM: (
        "file that is named like an image but is not DICOM",
        "files that are named like images but are not DICOM",
    ),
    Cause.TRUNCATED: ("DICOM file", "DICOM files"),
    Cause.LINK: ("symbolic link, which is not followed", "symbolic links, which are not followed"),
}
"""Singular and plural of the members of each cause. Missing files are no members (`IncompleteDicomdir.text`)."""
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
"""The advice for each cause except ENCRYPTED_ARCHIVE (`LeftOut.encrypted_hint`)."""
UNPACK_ARCHIVES = "Unpack an archive above a limit into the packet."
"""The advice for LIMITED_ARCHIVE if no option raises the limit."""
_ADVICE_WITHOUT_LEDGER = {
    **_ADVICE,
    Cause.LIMITED_ARCHIVE: "Unpack an archive above a limit into the packet, or raise the limit.",
    Cause.UNSORTED: "Look at DICOM files that cannot be sorted: they may be damaged.",
}
"""Advice if nothing was imported, so that no ledger exists."""


class LeftOutMember(NamedTuple):
    """One member that was left out, or cut short (TRUNCATED)."""

    row: int
    """Its row in the reading."""
    cause: Cause
    path: str
    """Its path in the ledger."""


class IncompleteDicomdir(NamedTuple):
    """A DICOMDIR that lists more files than exist."""

    row: int
    """Its row in the reading."""
    path: str
    listed_count: int
    """Number of files that it lists."""
    missing_count: int
    """Number of these files that do not exist."""
    missing_paths: tuple[str, ...]
    """Paths of the missing files as listed; empty if the files in the packet have other names, so that it is unknown which ones are
    missing."""

    def text(self) -> str:
        """Return the missing files as part of a sentence."""
        paths = f" ({_listed(self.missing_paths)})" if self.missing_paths else ""
        files = "1 file" if self.listed_count == 1 else f"{self.listed_count} files"
        return f"{self.path} lists {files}, {self.missing_count} {_is_or_are(self.missing_count)} missing{paths}"


class LeftOut(NamedTuple):
    """Members of the packets of one unit that were left out or cut short, and the DICOMDIRs that list missing files."""

    members: tuple[LeftOutMember, ...] = ()
    incomplete_dicomdirs: tuple[IncompleteDicomdir, ...] = ()
    encrypted_hint: str = ""
    """Advice about encrypted archives."""
    can_be_opened: bool = False
    """Whether the correct password would open one of the encrypted archives."""
    exceeded_parameters: tuple[str, ...] = ()
    """Names of the parameters whose limits the archives exceed, and that can be larger, such as `max_total`."""

    def of_rows(self, rows: Container[int]) -> "LeftOut":
        """Return a copy with only the members and DICOMDIRs in these rows of the reading."""
        members = tuple(member for member in self.members if member.row in rows)
        dicomdirs = tuple(dicomdir for dicomdir in self.incomplete_dicomdirs if dicomdir.row in rows)
        is_limited = any(member.cause is Cause.LIMITED_ARCHIVE for member in members)
        parameters = self.exceeded_parameters if is_limited else ()
        return self._replace(members=members, incomplete_dicomdirs=dicomdirs, exceeded_parameters=parameters)

    def with_truncated(self, members: Sequence[tuple[int, str]]) -> "LeftOut":
        """Return a copy that includes files that are cut short, each given as its row and path."""
        return self._replace(
            members=(*self.members, *(LeftOutMember(row, Cause.TRUNCATED, path) for row, path in members))
        )

    def __bool__(self) -> bool:
        """Return whether anything was left out or cut short."""
        return bool(self.members or self.incomplete_dicomdirs)

    def counts(self) -> dict[str, int]:
        """Return the number of members, or of missing files, by cause; without the causes that do not occur."""
        counts = Counter(member.cause for member in self.members)
        counts[Cause.MISSING] = sum(dicomdir.missing_count for dicomdir in self.incomplete_dicomdirs)
        return {cause.value: counts[cause] for cause in Cause if counts[cause]}

    def text(self) -> str:
        """Return the left-out and truncated members as part of a sentence."""
        causes = [cause for cause in Cause if any(member.cause is cause for member in self.members)]
        not_imported = [
            *(self._cause_text(cause) for cause in causes if cause is not Cause.TRUNCATED),
            *(dicomdir.text() for dicomdir in self.incomplete_dicomdirs),
        ]
        phrases = [f"not imported: {'; '.join(not_imported)}"] if not_imported else []
        phrases += (
            [f"imported, but cut short: {self._cause_text(Cause.TRUNCATED)}"] if Cause.TRUNCATED in causes else []
        )
        return "; ".join(phrases)

    def advice(self, *, has_ledger: bool = True) -> str:
        """Return advice for each cause, without repeated sentences; `has_ledger`: whether a session, and so a ledger, exists."""
        causes, advice = self.counts(), dict(_ADVICE if has_ledger else _ADVICE_WITHOUT_LEDGER)
        if not self.exceeded_parameters:
            advice[Cause.LIMITED_ARCHIVE] = UNPACK_ARCHIVES
        sentences = (advice.get(cause, self.encrypted_hint) for cause in Cause if cause in causes)
        return " ".join(dict.fromkeys(filter(None, sentences)))

    @property
    def needs_password(self) -> bool:
        """Return whether an import of the same packet with the correct password would import more."""
        return self.can_be_opened and any(member.cause is Cause.ENCRYPTED_ARCHIVE for member in self.members)

    def unsupported_archives(self) -> list[str]:
        """Return the paths of archives of unsupported kinds."""
        return [member.path for member in self.members if member.cause is Cause.FOREIGN_ARCHIVE]

    def problems(self, subject: str) -> list[Problem]:
        """Return one warning, or none if nothing was left out or cut short.

        If only a better packet helps, the warning says so: importing the same one again would change nothing.
        """
        if not self:
            return []
        again = (
            "Then import the packet again with --overwrite=yes."
            if self.needs_password or self.unsupported_archives() or self.exceeded_parameters
            else "Importing the same packet again changes nothing: correct the packet, then import it with --overwrite=yes."
        )
        message = f"{self.text()}."
        return [Problem(Code.LEFT_OUT, subject, message, f"{self.advice()} {again}", Severity.WARNING)]

    def _cause_text(self, cause: Cause) -> str:
        paths = [member.path for member in self.members if member.cause is cause]
        return f"{len(paths)} {_WORDS[cause][len(paths) > 1]} ({_listed(paths)})"


def _is_or_are(count: int) -> str:
    return "is" if count == 1 else "are"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_PATHS} more" if len(names) > MAX_PATHS else ""
    return f"{', '.join(names[:MAX_PATHS])}{more}"


def find_left_out(reading: Reading, passwords: Passwords | None, limits: Limits) -> LeftOut:
    """Return what was left out of a reading with these limits. Its files must still be in staging."""
    rows = [(reading.row(index), Cause(cause)) for index, cause in reading.left_out()]
    members = tuple(LeftOutMember(row.index, cause, row.path) for row, cause in rows)
    dicomdirs = tuple(
        IncompleteDicomdir(index, reading.row(index).path, listed, missing, tuple(names))
        for index, listed, missing, names in reading.incomplete_dicomdirs()
    )
    encrypted_reasons = [row.reason for row, cause in rows if cause is Cause.ENCRYPTED_ARCHIVE]
    parameters = exceeded_parameters(row.reason for row, cause in rows if cause is Cause.LIMITED_ARCHIVE)
    return LeftOut(
        members,
        dicomdirs,
        encrypted.hint(encrypted_reasons, passwords),
        encrypted.is_openable(encrypted_reasons),
        tuple(larger_limits(parameters, limits)),
    )
