"""The command that imports a packet again, once the files that were left out can be read."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from qxbatch.core import sniff
from qxbatch.discover.units import Unit
from qxbatch.discover.unsupported_archives import UNOPENED, unpack_command, unused_unpacked_name
from qxbatch.ingest.left_out import LeftOut
from qxbatch.ingest.limits import larger_limits
from qxbatch.ledger_cells import member_path
from qxbatch.problems import Code, Problem
from qxbatch.record.job import Job
from qxbatch.settings.command import command_for
from qxbatch.settings.model import Settings
from qxbatch.settings.paths import outside_path
from qxbatch.visible import shell_word


def with_import_command(
    problems: Sequence[Problem],
    left_out: LeftOut,
    job: Job,
    settings: Settings,
    paths_after_archiving: Mapping[Path, Path | None],
) -> tuple[Problem, ...]:
    """Return the problems of a published session; the one about left-out members gets a command, if importing again helps.

    `paths_after_archiving` maps each packet to where it, or its copy, is now; None if it no longer exists.
    """
    return tuple(
        _with_command(problem, left_out, job, settings, paths_after_archiving)
        if problem.code is Code.LEFT_OUT
        else problem
        for problem in problems
    )


def _with_command(
    problem: Problem, left_out: LeftOut, job: Job, settings: Settings, paths_after_archiving: Mapping[Path, Path | None]
) -> Problem:
    """Return a problem with the command that imports the packet again; the problem as it is if that does not help."""
    changes, unpacking = _what_helps(left_out, job.unit, settings, paths_after_archiving)
    if not changes and not unpacking:
        return problem
    changes = {"overwrite": "yes", **changes}
    if not job.unit.folder_mode and any(
        paths_after_archiving.get(packet.path, packet.path) is None for packet in job.unit.packets
    ):
        # the packet is deleted; the files that were left out are in the session's inbox
        folder_mode_settings = replace(settings, masterinbox=None, bids_app=False)
        return replace(problem, command=command_for(folder_mode_settings, [job.unit.session.id], changes))
    moves = [] if job.unit.folder_mode else _move_commands(paths_after_archiving, settings)
    shell = " && ".join((*moves, *unpacking))
    if job.redact(shell) != shell:  # the shell commands contain an identity of the patient, so they are omitted
        problem = replace(problem, hint=f"{problem.hint} If the packet was moved, put it back into the inbox first.")
        shell = ""
    command = command_for(settings, [job.unit.session.id], changes)
    return replace(problem, command=" && ".join(filter(None, (shell, command))))


def _move_commands(paths_after_archiving: Mapping[Path, Path | None], settings: Settings) -> list[str]:
    """Return the commands that move packets back to their inbox."""
    moves = (
        (current, source)
        for source, current in paths_after_archiving.items()
        if current is not None and current != source and not source.exists()
    )
    words = ([shell_word(str(outside_path(path, settings.path_map))) for path in pair] for pair in moves)
    return [f"mv -nT -- {current} {source}" for current, source in words]


def import_command(left_out: LeftOut, unit: Unit, settings: Settings) -> str:
    """Return the command that imports a refused packet, which was not moved, once the user has corrected it.

    If members were left out, the command has the options with which they can be read, or first unpacks archives among them.
    """
    changes, unpacking = _what_helps(left_out, unit, settings, {})
    return " && ".join((*unpacking, command_for(settings, [unit.session.id], changes)))


def _what_helps(
    left_out: LeftOut, unit: Unit, settings: Settings, paths_after_archiving: Mapping[Path, Path | None]
) -> tuple[dict[str, str], list[str]]:
    """Return the parameters with which more of the packet can be read, and the commands that unpack its archives first."""
    changes = {}
    if left_out.needs_password:
        path = "FILE" if settings.passwords is None else str(settings.passwords.path)
        changes["password_file"] = path
    return {**changes, **larger_limits(left_out.exceeded_parameters, settings)}, _unpacking(
        left_out, unit, settings, paths_after_archiving
    )


def _unpacking(
    left_out: LeftOut, unit: Unit, settings: Settings, paths_after_archiving: Mapping[Path, Path | None]
) -> list[str]:
    """Return the commands that unpack the archives that were left out of a packet.

    Empty unless the unit has one packet, this packet is (still) a folder, and each of these archives is a file in it that one
    command unpacks (not a part of a split archive).
    """
    if len(unit.packets) != 1:
        return []
    folder = unit.packets[0].path
    current = paths_after_archiving.get(folder, folder)
    if current is None or not current.is_dir():
        return []
    archives = [member_path(path) for path in left_out.unsupported_archives()]
    kinds = {path: sniff(str(current / path)) for path in archives if (current / path).is_file()}
    if (
        not archives
        or len(kinds) < len(archives)
        or any(kind not in UNOPENED or kind == "split" for kind in kinds.values())
    ):
        return []
    mapped_folder, archive_folder = (
        outside_path(path, settings.path_map) for path in (folder, settings.archive_folder)
    )
    unpacked_names: dict[Path, str] = {}
    for path in kinds:
        archive = current / path
        siblings = {name for other, name in unpacked_names.items() if (current / other).parent == archive.parent}
        unpacked_names[path] = unused_unpacked_name(archive, siblings)
    return [
        unpack_command(kind, mapped_folder / path, unpacked_names[path], archive_folder) for path, kind in kinds.items()
    ]
