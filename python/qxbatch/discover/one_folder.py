"""Refuses packets whose session folder the file system would confuse with that of another session."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from qxbatch.discover.judged import Judged
from qxbatch.discover.listing import names_in
from qxbatch.discover.refused import renamed_and_imported
from qxbatch.problems import Code
from qxbatch.resolve.rename import FindSession
from qxbatch.session.equal_names import folded, ignores_case, other_name
from qxbatch.settings.model import Settings

_HINT = "Rename one of them, or use a sessions folder on a file system that distinguishes upper and lower case."


def in_own_folders(judged: list[Judged], settings: Settings, named: FindSession) -> list[Judged]:
    """Refuse packets that would be published into the folder of another session, of this run or an existing one.

    `named` returns the session of another name.
    """
    sessionsfolder = settings.sessionsfolder
    names = frozenset(names_in(sessionsfolder))
    ids = {each.session.id for each in judged if each.ready and each.session is not None}
    other = {name: other_name(sessionsfolder / name, names) for name in ids - names}
    existing = {name: folder for name, folder in other.items() if folder}
    clash = len({folded(name) for name in ids}) < len(ids)
    together = clash and ignores_case(sessionsfolder)
    return [_with_command(each, settings, named) for each in judge_one_folder(judged, existing, ignores_case=together)]


def _with_command(each: Judged, settings: Settings, named: FindSession) -> Judged:
    problem = each.problem
    if problem is None or problem.hint != _HINT:
        return each
    return each._replace(problem=replace(problem, command=renamed_and_imported(each, settings, named)))


def judge_one_folder(judged: Sequence[Judged], existing: Mapping[str, str], *, ignores_case: bool) -> list[Judged]:
    """Refuse ready packets of a session whose folder is that of another session.

    `existing` maps session ids to the existing folder that has the session's place; with `ignores_case` two new sessions
    may share a folder, too.
    """
    ids: dict[str, set[str]] = {}
    for each in judged if ignores_case else ():
        if each.ready and each.session is not None:
            ids.setdefault(folded(each.session.id), set()).add(each.session.id)
    return [_judge(each, existing, ids) for each in judged]


def _judge(each: Judged, existing: Mapping[str, str], ids: Mapping[str, set[str]]) -> Judged:
    if not each.ready or each.session is None:
        return each
    own = each.session.id
    others = sorted({existing[own]} if own in existing else ids.get(folded(own), {own}) - {own})
    if not others:
        return each
    message = (
        f"its session {own} would have the folder of {', '.join(others)}: the file system does not distinguish them."
    )
    return each.refused(Code.SAME_SESSION, message, _HINT)
