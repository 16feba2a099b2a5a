"""A session folder: summary, ledger, images and series of a finished session, read when they are used."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from qxbatch.model import State
from qxbatch.problems import Severity
from qxbatch.session.contents import has_inbox_or_results, has_nii_files
from qxbatch.session.layout import IMAGE_SUFFIX, image_file
from qxbatch.session.ledger import LedgerRow, read_ledger
from qxbatch.session.paths import SessionPaths
from qxbatch.session.session_txt import SessionText, image_line_parts, read_session_txt
from qxbatch.session.summary import Summary, SummaryError
from qxbatch.session.summary_parts import ImageSummary, SeriesSummary
from qxbatch.textfile import read_text

SIDECARS = ("bval", "bvec", "json")
"""Extensions of files beside an image."""
_IMAGE_NUMBER = re.compile(r"[0-9]{1,18}")
"""Matches the number of an image in the name of its file."""
_MAX_SUMMARY_BYTES = 1 << 26
"""A larger summary is not read: parsing it takes many times its size in memory."""


class SessionState(StrEnum):
    """The state of a session."""

    ABSENT = "absent"
    """The folder is missing, or contains nothing of a session: no inbox, results or records."""
    INCOMPLETE = "incomplete"
    """The summary is missing or cannot be read (perhaps another program made the session), or nii has files and session.txt is
    missing."""
    SORTED = "sorted"
    """The series are sorted and not converted."""
    FAILED = "failed"
    """A series did not convert, or there is another error."""
    REVIEW = "review"
    """There are warnings."""
    COMPLETE = "complete"
    """There are neither errors nor warnings."""


class SessionFolder:
    """A session folder of this or another program. Summary and session.txt are read when they are first needed, and then kept."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.paths = SessionPaths(path)

    @property
    def id(self) -> str:
        """Return the session id, the folder's name."""
        return self.path.name

    @property
    def summary(self) -> Summary | None:
        """Return the summary; None if there is no such file.

        Raises SummaryError if it cannot be parsed or has a newer schema, OSError if it cannot be read. Later calls raise the same
        error.
        """
        summary = self._summary_or_error
        if isinstance(summary, Exception):
            raise summary
        return summary

    @cached_property
    def _summary_or_error(self) -> Summary | SummaryError | OSError | None:
        """Return the summary, or why it cannot be read.

        An error is kept, too. If a later call succeeded, for example after a short failure of a network, a command would use facts
        that contradict each other.
        """
        path = self.paths.summary
        _ = self.session_txt_identity  # session.txt is examined before the summary is read
        try:
            text = read_text(path, "strict", _MAX_SUMMARY_BYTES)
            return Summary.from_json(text, path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except UnicodeDecodeError as error:
            return SummaryError(f"{path}: cannot be read ({error})")
        except (SummaryError, OSError) as error:
            return error

    @cached_property
    def session_txt_identity(self) -> tuple[int, ...] | None:
        """Return inode, size and modification time of session.txt right before the summary was read; None if it was missing.

        An import that replaces a session removes session.txt first and adds another one last.
        """
        return _identity(self.paths.session_txt)

    @property
    def was_replaced(self) -> bool:
        """Return whether session.txt is missing, or is another file than right before the summary was read."""
        return self.session_txt_identity is None or _identity(self.paths.session_txt) != self.session_txt_identity

    @property
    def readable_summary(self) -> Summary | None:
        """Return the summary; None if it is missing or cannot be read."""
        try:
            return self.summary
        except (SummaryError, OSError):
            return None

    @cached_property
    def session_text(self) -> SessionText:
        """Return the content of session.txt; empty if it is missing or cannot be read."""
        try:
            return read_session_txt(self.paths.session_txt)
        except OSError:
            return SessionText()

    def ledger(self, sha256: str | None = None) -> Iterator[LedgerRow]:
        """Yield the ledger's rows, one at a time. `sha256` as in `read_ledger`: the hash that the ledger must have.

        Raises OSError, and ValueError when the file is damaged.
        """
        return read_ledger(self.paths.ledger, sha256)

    @property
    def subject(self) -> str:
        """Return the subject from the summary, else from session.txt; empty if neither has one."""
        summary = self.readable_summary
        return (summary.session.subject if summary else "") or self.session_text.subject

    @property
    def series(self) -> tuple[SeriesSummary, ...]:
        """Return the series from the summary; empty if there is no summary. Raises as `summary`."""
        return self.summary.series if self.summary else ()

    @property
    def images(self) -> tuple[ImageSummary, ...]:
        """Return the images from the summary, else those in nii with their names from session.txt. Raises as `summary`."""
        return self.summary.images if self.summary else self._images_in_nii()

    @property
    def state(self) -> SessionState:
        """Return the state of the session."""
        summary, folder = self.readable_summary, self.path
        if summary is None:
            return (
                SessionState.INCOMPLETE
                if has_inbox_or_results(folder) or self.paths.qxbatch_folder.exists()
                else SessionState.ABSENT
            )
        if not self.paths.session_txt.is_file():
            return SessionState.INCOMPLETE if has_nii_files(folder) else SessionState.SORTED
        severities = Counter(problem.severity for problem in summary.problems)
        if severities[Severity.ERROR] or any(series.state is State.FAILED for series in summary.series):
            return SessionState.FAILED
        return SessionState.REVIEW if severities[Severity.WARNING] else SessionState.COMPLETE

    def _images_in_nii(self) -> tuple[ImageSummary, ...]:
        """Return the images named `<number>.nii.gz`. The n of their series is the number without its last digit, times ten.

        k and `of` of an image count the images that exist.
        """
        names = (path.name.removesuffix(IMAGE_SUFFIX) for path in self.paths.images())
        by_series: dict[int, list[str]] = {}
        for name in sorted(
            (name for name in names if _IMAGE_NUMBER.fullmatch(name)), key=lambda name: (int(name), name)
        ):
            by_series.setdefault(int(name) // 10 * 10, []).append(name)
        return tuple(
            self._image_in_nii(name, n, k, len(numbers))
            for n, numbers in by_series.items()
            for k, name in enumerate(numbers, 1)
        )

    def _image_in_nii(self, number: str, n: int, k: int, of: int) -> ImageSummary:
        """Return image k of a series; `number` is its number as its file is named, perhaps with zeros before it."""
        name, info = image_line_parts(self.session_text.images.get(number, ""))
        beside = [extension for extension in SIDECARS if (self.path / image_file(number, extension)).is_file()]
        files = (image_file(number), *(image_file(number, extension) for extension in beside))
        return ImageSummary(int(number), n, k, of, name, info, (), files)


def _identity(path: Path) -> tuple[int, ...] | None:
    """Return inode, size and modification time of a file; None if it is missing or cannot be examined."""
    try:
        status = os.stat(path)  # noqa: PTH116 - one call for each of thousands of sessions
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
