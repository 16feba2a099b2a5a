"""Leaves names out of the messages of a recovery whose logs are de-identified: its patients are not known.

A path is kept up to the first part that is neither a session id nor a name that qxbatch gives: this part may contain the name of a
patient. Of the text after it, only an error of the operating system, or a known reason of qxbatch, is kept.
"""

import errno
import os
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

from qxbatch.deidentify import NAME_LEFT_OUT, Redact
from qxbatch.model import SessionReport
from qxbatch.problems import Code, Problem
from qxbatch.publish.journal import BEHIND_LINK, COPIED_STUDY, IN_NO_INBOX
from qxbatch.publish.workspace import Workspace
from qxbatch.session.layout import (
    ARCHIVE,
    DICOM,
    DICOM_REPORT,
    INBOX,
    LEDGER,
    LOG,
    NII,
    PAGE,
    PICTURES,
    QXBATCH_FOLDER,
    REPLACED_FOLDER,
    SESSION_TXT,
    SORTED_SUMS,
    SUMMARY,
    converter_log_name,
)

_NUMBER = "[0-9]{1,6}"
_JSON = "[.]json"
_RUN = "[0-9a-f]{16}"
_HIDDEN = rf"(?:\.qxbatch-(?:copy|aside|part|gone)-{_RUN}-)?"
_ARCHIVE_ENDING = rf"(?:_{_NUMBER})?(?:\.(?:zip|7z|tgz|tar(?:\.[a-z0-9]{{2,4}})?))?"
_START = re.compile(r"(?<![^\s=`'\"(])/(?=\S)")
"""The beginning of an absolute path."""
_END = r"[.]?\Z|, then remove the journal| has mode |`?[)](?:[.]|:[\0 ]|\Z)|:\0"
"""Text that may follow a path with only known parts: the end of the text, `)`, a known text, or a marked reason."""
_MARK = ":\0"
"""Marks a reason; no name contains a null character."""
_OWN_REASONS = (
    *("is a link, and qxbatch does not change", "is not a regular file", "the copy differs from what was copied"),
    *("is not a folder, and qxbatch needs", "is a folder with content, and qxbatch writes"),
)
"""Beginnings of reasons that qxbatch gives itself. They contain no name."""
_VERSION = re.compile(r"a journal of version [0-9]+, this program writes [0-9]+")


def path_redaction(workspace: Workspace, unit: str, other_folders: Iterable[Path] = ()) -> Redact:
    """Return a function that leaves the unknown parts of paths out of a text, for the recovery of a unit.

    Known are the folders of the study, its inboxes and `other_folders`.
    """
    # `packets` to `study` are patterns for what is known below a folder
    own_id = f"{re.escape(unit)}(?:-[1-9][0-9]{{0,5}})?"
    packets = _below(f"{_HIDDEN}{own_id}{_ARCHIVE_ENDING}")
    session = f"{own_id}{_session_content()}"
    replaced = rf"{own_id}[.](?:kept|rest){_session_content()}"
    staging = _below(f"(?:build|old){_below(session, replaced)}", "scratch", "again", "taken[.]tsv")
    work = f"work{_below(f'{re.escape(unit)}{_below(_RUN + staging)}')}"
    study = _below(
        session,
        rf"[.]qxbatch{_below(work, f'journal{_below(own_id + _JSON)}', 'locks')}",
        f"{ARCHIVE}{_below(f'MR{packets}', f'{REPLACED_FOLDER}{_below(session)}')}",
        f"{INBOX}{_below(f'MR{packets}')}",
    )
    known = [
        *((folder, study) for folder in _given_and_real(workspace.sessionsfolder)),
        *((folder, packets) for inbox in workspace.inboxes for folder in _given_and_real(inbox)),
        *((folder, "") for folder in other_folders),
    ]
    above = {parent for folder, _ in known for parent in folder.parents}
    choices = [f"{re.escape(str(folder))}{below}(?=/|{_END})" for folder, below in known]
    choices += [f"{re.escape(str(folder))}(?={_END})" for folder in above]
    return _KnownPaths([re.compile(choice) for choice in choices])


def journal_reason_without_names(reason: str) -> str:
    """Return why a journal cannot be used, without texts of the journal."""
    if f" is {IN_NO_INBOX}; " in reason:
        more = f" and --archive=leave, since {COPIED_STUDY}" if f"; {COPIED_STUDY}. " in reason else ""
        return f"a packet is {IN_NO_INBOX}; run again with the --masterinbox of the interrupted one{more}"
    if reason.endswith(f" is {BEHIND_LINK}"):
        return f"a packet is {BEHIND_LINK}"
    return reason if _VERSION.fullmatch(reason) else NAME_LEFT_OUT


def report_without_names(report: SessionReport, redact: Redact) -> SessionReport:
    """Return the report of a recovery without names.

    `redact` gets whole texts: in a part of a text, the end of a name could be taken for other text.
    """
    problems = tuple(_problem_without_names(problem, redact) for problem in report.problems)
    return replace(report, packet=redact(report.packet), problems=problems)


def _problem_without_names(problem: Problem, redact: Redact) -> Problem:
    message = redact(problem.message)
    if problem.code is Code.VERIFY:  # it lists files
        message = "the files on disk differ from the packets. Its packets stay in the inbox."
    command = problem.command if redact(problem.command) == problem.command else ""
    return replace(
        problem, subject=redact(problem.subject), message=message, hint=redact(problem.hint), command=command
    )


class _KnownPaths:
    """The function that `path_redaction` returns: keeps the longest known part of each path in a text."""

    def __init__(self, known: list[re.Pattern[str]]) -> None:
        self._known = known

    def __call__(self, text: str) -> str:
        """Return a text in which NAME_LEFT_OUT replaces the unknown part of each path, and what follows it up to a known reason."""
        text = _reasons().sub(lambda match: f"{_MARK}{match[1]}", text.replace("\0", ""))
        texts = []
        position = 0
        while (start := _START.search(text, position)) is not None:
            matches = (pattern.match(text, start.start()) for pattern in self._known)
            end = max((match.end() for match in matches if match), default=-1)
            is_known = end > start.start()
            texts.append(text[position : end if is_known else start.start()])
            position = end
            if not is_known or text.startswith("/", end):
                texts.append(f"/{NAME_LEFT_OUT}" if is_known else NAME_LEFT_OUT)
                reason = text.rfind(_MARK, start.start())  # the last one: names in between may look like a reason
                position = len(text) if reason < 0 else reason
        return "".join([*texts, text[position:]]).replace(_MARK, ": ")


def _session_content() -> str:
    image = rf"{_NUMBER}[.](?:nii[.]gz|json|bval|bvec)"
    log = re.escape(converter_log_name(0)).replace("0", _NUMBER)
    return _below(
        *map(re.escape, (SESSION_TXT, INBOX)),
        f"{DICOM}{_below(LOG, re.escape(DICOM_REPORT), f'{_NUMBER}(?:[.]tar[.]gz)?', log)}",
        f"{NII}{_below(image)}",
        f"{QXBATCH_FOLDER}{_below(*map(re.escape, (LEDGER, SUMMARY, PAGE, SORTED_SUMS, PICTURES)))}",
    )


def _below(*choices: str) -> str:
    """Return a pattern for a path that may continue with one of these parts."""
    return rf"(?:/(?:{'|'.join(choices)})(?=/|{_END}))?"


@cache
def _reasons() -> re.Pattern[str]:
    texts = [os.strerror(number) for number in errno.errorcode]
    texts += [f"{text[:1].lower()}{text[1:]}" for text in texts]
    errors, own_reasons = ("|".join(map(re.escape, sorted(set(each)))) for each in (texts, _OWN_REASONS))
    return re.compile(rf": ((?:{errors})(?=[.;]| \(|\Z)|{own_reasons})")


def _given_and_real(folder: Path) -> set[Path]:
    """Return the path of a folder as it was given, and without links."""
    return {folder, Path(os.path.realpath(folder))}
