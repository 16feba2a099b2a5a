"""Converts one series: chooses, checks its headers, runs, judges."""

import os
from pathlib import Path

from qxbatch.convert.again import convert_again
from qxbatch.convert.attempt import Attempt, Room, attempt, room_for
from qxbatch.convert.available import Available, choose
from qxbatch.convert.before import findings, subject
from qxbatch.convert.dcm2niix import Dcm2niix
from qxbatch.convert.evidence import Evidence, gather
from qxbatch.convert.par_checks import par_evidence, par_findings
from qxbatch.convert.par_choice import convert_par, readable_par, unreadable
from qxbatch.convert.run import Cancel
from qxbatch.convert.values import text
from qxbatch.core import SeriesFrames
from qxbatch.model import Conversion, Series, SeriesKind, State
from qxbatch.problems import Code, Problem, Severity
from qxbatch.settings.model import Settings, Tool


def convert_series(
    series: Series,
    settings: Settings,
    work: Path,
    available: Available,
    cancel: Cancel,
    *,
    staging: Path | None = None,
    final: Path | None = None,
) -> Conversion:
    """Convert one series in `<work>/<n>` and return what became of it; outputs stay there until they are placed.

    Paths below `staging` are told as below `final` in logs and messages.

    Raises CancelledError when `cancel` is set meanwhile, and OSError where the machine is at fault.
    """
    room = room_for(series, work, staging, final)
    packed = sum(1 for path in series.folder.iterdir() if path.name.casefold().endswith(".gz"))
    if packed and packed >= series.files:
        return _not_unzipped(series)
    if series.kind is SeriesKind.PARREC:
        return _par(series, settings, room, available, cancel)
    evidence = _evidence(series)
    odd = findings(series, evidence)
    converter = choose(series.kind, available)
    done = attempt(series, converter, room, evidence, settings.timeout, cancel)
    if done.judgement.faults and evidence.files and isinstance(converter, Dcm2niix):
        done = convert_again(series, converter, done, room, evidence, settings.timeout, cancel)
    if done.judgement.moved:
        odd = []
    if packed:
        odd.append(_some_not_unzipped(series, packed))
    return _conversion(series, done, odd)


def _par(series: Series, settings: Settings, room: Room, available: Available, cancel: Cancel) -> Conversion:
    if available.used is Tool.AUTO:
        return _conversion(series, convert_par(series, room, available.converters, settings.timeout, cancel), [])
    try:
        readable_par(series)
    except (ValueError, OSError) as error:
        return _conversion(series, unreadable(series, error), [])
    converter = choose(series.kind, available)
    done = attempt(series, converter, room, par_evidence(series), settings.timeout, cancel)
    return _conversion(series, done, par_findings(series, converter, done.judgement.outputs))


def _conversion(series: Series, done: Attempt, odd: list[Problem]) -> Conversion:
    judged = done.judgement
    problems = tuple(dict.fromkeys((*judged.problems, *odd)))
    partial = judged.state is State.CONVERTED and any(problem.code is Code.CONVERT_PARTIAL for problem in odd)
    state = State.PARTIAL if partial else judged.state
    return Conversion(series, state, done.tool, judged.outputs, done.log, problems)


def _evidence(series: Series) -> Evidence:
    """Return what the files say; those that are still gzipped are not converted, and say nothing."""
    names = sorted(name for name in os.listdir(series.folder) if not name.casefold().endswith(".gz"))  # noqa: PTH208 - no Path a file
    description = text(series.header, "SeriesDescription") or text(series.header, "ProtocolName")
    return gather(SeriesFrames([f"{series.folder}/{name}" for name in names]), description)


def _not_unzipped(series: Series) -> Conversion:
    problem = Problem(
        Code.NOTHING_TO_CONVERT,
        subject(series),
        "its files are gzipped and unzip=no, so they were sorted and not converted.",
        "Import it with --unzip=yes to convert it.",
        Severity.WARNING,
    )
    log = f"Found {series.files} DICOM file(s)\nnot converted: gzipped, unzip=no\n"
    return Conversion(series, State.NOTHING, "", (), log, (problem,))


def _some_not_unzipped(series: Series, packed: int) -> Problem:
    message = f"{packed} of its {series.files} files are gzipped and unzip=no; only the others were converted."
    return Problem(Code.CONVERT_PARTIAL, subject(series), message, "Import it with --unzip=yes.", Severity.WARNING)
