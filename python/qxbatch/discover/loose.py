"""Refuses loose DICOM files of one study in the inbox, which would become a session each."""

import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from qxbatch.discover.entry import Entry, is_loose_dicom
from qxbatch.discover.existing import existing_clause
from qxbatch.discover.judged_entry import JudgedEntry
from qxbatch.problems import Code
from qxbatch.resolve.rename import FindSession
from qxbatch.settings.model import OnSameSession, Settings
from qxbatch.settings.paths import outside_path
from qxbatch.visible import shell_word

Studies = Callable[[Sequence[Path]], Sequence[str]]
"""Returns a key for each of these DICOM files, equal for files of one study; empty if the study is unknown."""
_MOST_NAMES = 10_000
"""Names for the new folder, `S1`, `S2` and so on, are tried below this number."""
MAX_LISTED = 20
"""Maximum number of files that a command names one by one."""


def core_studies(paths: Sequence[Path]) -> list[str]:
    """Return a key of patient and study for each file, from its header; empty if the file is not in a series.

    Without StudyInstanceUID, StudyDate tells studies apart; files of one patient without both count as one study.
    """
    from qxbatch.core import scan_files

    scanned = scan_files([os.fspath(path) for path in paths])
    keys: dict[str, str] = {}
    for k, group in enumerate(scanned.groups()):
        study = group.study_uid or str(group.header.get("StudyDate") or "")
        for index in scanned.group_files(k):
            keys[scanned.path(index)] = f"{group.folded_patient_id}\0{study}"
    return [keys.get(os.fspath(path), "") for path in paths]


def judge_loose(
    entries: Sequence[Entry],
    judged: Sequence[JudgedEntry],
    settings: Settings,
    studies: Studies,
    find_session: FindSession,
) -> list[JudgedEntry]:
    """Refuse the loose DICOM files of each study that has several, unless they are merged into one session.

    A file that is the only one of its study is a packet. Headers are read only if several loose files are ready. `find_session`
    returns the session that a packet has by its file name.
    """
    loose = [file for entry, file in zip(entries, judged, strict=True) if file.is_ready and is_loose_dicom(entry)]
    by_study: dict[str, list[JudgedEntry]] = defaultdict(list)
    if len(loose) > 1:
        for file, study in zip(loose, studies([file.path for file in loose]), strict=True):
            if study:
                by_study[study].append(file)
    names = [entry.name for entry in entries]
    groups = [files for files in by_study.values() if len(files) > 1 and not _are_merged(files, settings)]
    unused_names = _unused_names(names, settings, find_session)
    refused = {
        file.path: refusal
        for files in groups
        for file, refusal in zip(files, _refuse_files(files, names, next(unused_names, ""), settings), strict=True)
    }
    return [refused.get(file.path, file) for file in judged]


def _unused_names(names: Iterable[str], settings: Settings, find_session: FindSession) -> Iterator[str]:
    """Yield names for new folders of the inbox.

    Neither a name nor the id of its session is the name of an entry (up to the first dot), and the session does not exist.
    """
    used_names = {name.split(".")[0] for name in names}  # the folder S1 would belong to the same session as S1.zip
    for name in (f"S{k}" for k in range(1, _MOST_NAMES)):
        session = find_session(name)
        session_id = name if session is None else session.id
        if used_names.isdisjoint((name, session_id)) and not (
            os.path.lexists(settings.sessionsfolder / session_id) or existing_clause(settings, session_id)
        ):
            yield name


def _are_merged(files: Sequence[JudgedEntry], settings: Settings) -> bool:
    """Return whether the names of all files give one session, into which they are merged."""
    return settings.on_same_session is OnSameSession.MERGE and len({file.session for file in files}) == 1


def _refuse_files(
    files: Sequence[JudgedEntry], names: Collection[str], folder: str, settings: Settings
) -> list[JudgedEntry]:
    """Return the files, all refused with the same problem. Its command is that of `_command`, with the new folder `folder`.

    `names` are those of all entries of the inbox.
    """
    inbox = outside_path(files[0].path.parent, settings.path_map)
    file_names = [file.path.name for file in files]
    named = ", ".join(file_names[:3]) + (f" and {len(file_names) - 3} more" if len(file_names) > 3 else "")  # noqa: PLR2004 - named
    message = (
        f"{len(file_names)} loose DICOM files of one study ({named}) are not a packet: each would become a session."
    )
    hint = "Put them into a folder whose name is the session's:"
    refused = files[0].refuse(Code.LOOSE_FILES, message, hint)
    assert refused.problem is not None
    problem = replace(refused.problem, subject=str(inbox), command=_command(inbox, folder, file_names, names))
    return [file._replace(verdict=refused.verdict, problem=problem) for file in files]


def _command(inbox: Path, folder: str, file_names: Sequence[str], names: Collection[str]) -> str:
    """Return the shell command that moves the files into a new folder of the inbox.

    If neither a glob nor a list of at most MAX_LISTED names can name the files, or `folder` is empty since no name is unused, the
    command is `qxbatch split` of the inbox. `names` are those of all entries of the inbox.
    """
    target = shell_word(str(inbox / folder))
    glob = _glob(file_names, {*names, folder}) if folder else ""  # the shell expands it after `mkdir`
    if glob:
        return f"mkdir {target} && mv {shell_word(f'{inbox}/')}{glob} {target}/"
    if folder and len(file_names) <= MAX_LISTED:
        return f"mkdir {target} && mv {' '.join(shell_word(str(inbox / name)) for name in file_names)} {target}/"
    output = shell_word(str(inbox.with_name(f"{inbox.name}_split")))
    return f"qxbatch split {shell_word(str(inbox))} --output={output}"


def _glob(file_names: Sequence[str], names: Collection[str]) -> str:
    """Return a shell glob that matches `file_names` and no others of `names`; empty if there is no simple one."""
    start = _common_prefix(file_names)
    end = _common_prefix([name[len(start) :][::-1] for name in file_names])[::-1]
    matched = {name for name in names if name.startswith(start) and name.endswith(end) and not name.startswith(".")}
    matched = {name for name in matched if len(name) >= len(start) + len(end)}
    return (
        f"{shell_word(start) if start else ''}*{shell_word(end) if end else ''}" if matched == set(file_names) else ""
    )


def _common_prefix(texts: Sequence[str]) -> str:
    """Return the common prefix of texts."""
    first, last = min(texts), max(texts)
    length = next((k for k, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[:length]
