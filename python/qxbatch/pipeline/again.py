"""The command that imports a packet again, once what was left out of it can be read."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from qxbatch.cells import member_path
from qxbatch.core import sniff
from qxbatch.discover.units import Unit
from qxbatch.discover.unopened import UNOPENED, unpack_command
from qxbatch.ingest.left_out import LeftOut
from qxbatch.ingest.limits import larger
from qxbatch.problems import Code, Problem
from qxbatch.record.job import Job
from qxbatch.settings.command import command_for
from qxbatch.settings.model import Settings
from qxbatch.settings.paths import mapped
from qxbatch.visible import shell_word


def with_again(
    problems: Sequence[Problem], missing: LeftOut, job: Job, settings: Settings, places: Mapping[Path, Path | None]
) -> tuple[Problem, ...]:
    """Return problems of a published session; that of what was left out has its command, where importing again helps.

    `places` says where each packet is now; None for a deleted one.
    """
    return tuple(
        _with_command(each, missing, job, settings, places) if each.code is Code.LEFT_OUT else each for each in problems
    )


def _with_command(
    problem: Problem, missing: LeftOut, job: Job, settings: Settings, places: Mapping[Path, Path | None]
) -> Problem:
    changes, unpacking = _what_helps(missing, job.unit, settings, places)
    if not changes and not unpacking:
        return problem
    changes = {"overwrite": "yes", **changes}
    if job.unit.inbox is None and any(places.get(packet.path, packet.path) is None for packet in job.unit.packets):
        # the packet is deleted; what was left out of it is in the session's own inbox
        own = replace(settings, masterinbox=None, bids_app=False)
        return replace(problem, command=command_for(own, [job.unit.session.id], changes))
    back = [] if job.unit.inbox is not None else _moved_back(places, settings)
    shell = " && ".join((*back, *unpacking))
    if job.redact(shell) != shell:
        problem = replace(problem, hint=f"{problem.hint} Put the packet back into the inbox first.")
        shell = ""
    command = command_for(settings, [job.unit.session.id], changes)
    return replace(problem, command=" && ".join(filter(None, (shell, command))))


def _moved_back(places: Mapping[Path, Path | None], settings: Settings) -> list[str]:
    """Return the commands that move packets back to where they were."""
    moved = (
        (now, before) for before, now in places.items() if now is not None and now != before and not before.exists()
    )
    words = ([shell_word(str(mapped(each, settings.path_map))) for each in pair] for pair in moved)
    return [f"mv -n -- {now} {before}" for now, before in words]


def refused_again(missing: LeftOut, unit: Unit, settings: Settings) -> str:
    """Return the command that imports a refused packet, which is where it was, once its archives can be read."""
    changes, unpacking = _what_helps(missing, unit, settings, {})
    return " && ".join((*unpacking, command_for(settings, [unit.session.id], changes)))


def _what_helps(
    missing: LeftOut, unit: Unit, settings: Settings, places: Mapping[Path, Path | None]
) -> tuple[dict[str, str], list[str]]:
    """Return the parameters that let the same packet give more, and the commands that unpack archives in it first."""
    changes = {}
    if missing.is_locked:
        path = "FILE" if settings.passwords is None else str(settings.passwords.path)
        changes["password_file"] = path
    return {**changes, **larger(missing.limits, settings)}, _unpacking(missing, unit, settings, places)


def _unpacking(missing: LeftOut, unit: Unit, settings: Settings, places: Mapping[Path, Path | None]) -> list[str]:
    """Return what unpacks archives that are files of a packet's folder; none where one is in a file, or was deleted."""
    if len(unit.packets) != 1:
        return []
    folder = unit.packets[0].path
    now = places.get(folder, folder)
    if now is None or not now.is_dir():
        return []
    inside = [member_path(path) for path in missing.foreign()]
    kinds = {path: sniff(str(now / path)) for path in inside if (now / path).is_file()}
    if (
        not inside
        or len(kinds) < len(inside)
        or any(kind not in UNOPENED or kind == "split" for kind in kinds.values())
    ):
        return []
    outside, archive = (mapped(each, settings.path_map) for each in (folder, settings.archive_folder))
    return [unpack_command(kind, outside / path, archive) for path, kind in kinds.items()]
