"""One attempt to convert a series: runs a converter, judges and logs it, and removes the files of a failure."""

import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from qxbatch.convert.converter import Command, Converter, ConverterJob, name_and_version
from qxbatch.convert.escaped_json import escape_sidecars
from qxbatch.convert.evidence import Evidence
from qxbatch.convert.judge import Judgement, failure, judge
from qxbatch.convert.limits import limits_for
from qxbatch.convert.run import MACHINE_ERRNOS, NOT_STARTED, Cancel, ProcessResult, run
from qxbatch.model import Output, Series, State
from qxbatch.os_error import error_text
from qxbatch.problems import Problem
from qxbatch.session.paths import SessionPaths

_COUNT_LINE = re.compile(r"^Found \d+ DICOM file\(s\)", re.MULTILINE)
_COUNT = re.compile(r"Found (\d+ DICOM file)")
"""The line in which dcm2niix says how many files it found; and the same words anywhere in a log."""


@dataclass(frozen=True)
class Attempt:
    """The result of one attempt to convert a series: judged images, and the log."""

    judgement: Judgement
    tool: str
    """Name and version of the converter, even if it could not be started; empty if the files could not be read."""
    log: str


class ConversionPaths(NamedTuple):
    """The work folder of the conversion of one series, and the paths that messages show."""

    series_work: Path
    """The folder for the files of this series' conversion; `attempt_conversion` creates it."""
    replacements: Sequence[tuple[str, str]] = ()
    """Pairs (current path, path in messages), the longest current path first."""

    def with_final_paths(self, text: str) -> str:
        """Return a text with paths of the final location."""
        for current, final in self.replacements:
            text = text.replace(current, final)
        return text


def conversion_paths(series: Series, work: Path, staging: Path | None, final: Path | None) -> ConversionPaths:
    """Return the paths of a series, whose own work folder is `<work>/<n>`.

    In messages, the folder of the series, and paths below `staging` and `work`, become paths below `final`; without `final` they
    are unchanged.
    """
    pairs = []
    if final is not None:
        pairs.append((str(series.folder), str(SessionPaths(final).series(series.n))))
        if staging is not None:
            pairs.append((str(staging), str(final)))
        pairs.append((str(work), str(final)))
    return ConversionPaths(work / str(series.n), sorted(pairs, key=lambda pair: len(pair[0]), reverse=True))


def attempt_conversion(
    series: Series,
    converter: Converter,
    paths: ConversionPaths,
    evidence: Evidence,
    timeout: float | None,
    cancel: Cancel,
) -> Attempt:
    """Run one converter on a series, and judge its output, which is in a folder below `paths.series_work`.

    Files remain only if an image is usable. Raises CancelledError, and OSError for errors of the machine.
    """
    base = paths.series_work / converter.name
    shutil.rmtree(base, ignore_errors=True)
    job = ConverterJob(series, series.folder, base / "out", base / "home")
    job.out.mkdir(parents=True)
    job.home.mkdir()
    usable = False
    command: Command | None = None
    result = ProcessResult(NOT_STARTED, "", "it was not started")
    try:
        command = converter.command(job)
        result = run(command, job.out, job.home, limits_for(series, converter, timeout), cancel)
        judgement = judge(series, converter, result, _outputs(converter, job, result), evidence)
        usable = judgement.state in {State.CONVERTED, State.PARTIAL}
    except OSError as error:
        if error.errno in MACHINE_ERRNOS:
            raise
        judgement = failure(series, converter.name, f"could not be used: {error_text(error)}.", result.stdout)
    finally:
        shutil.rmtree(job.home, ignore_errors=True)
        if not usable:
            shutil.rmtree(base, ignore_errors=True)
    log = paths.with_final_paths(_log(converter, command.argv if command else (), result, series, job))
    return Attempt(_with_final_paths(judgement, paths), name_and_version(converter), log)


def with_reworded_count(log: str) -> str:
    """Return a log whose line "Found N DICOM file(s)" is reworded, so that it can be joined to the log of another attempt.

    run_qa of QuNex must find this line only once in the joined log.
    """
    return _COUNT.sub(r"found \1", log)


def _outputs(converter: Converter, job: ConverterJob, result: ProcessResult) -> Sequence[Output]:
    """Return the images of a converter, with JSON that is valid; none if it failed."""
    if result.stop_reason or not converter.accepts(result.exit_status):
        return ()
    outputs = converter.outputs(job)
    escape_sidecars(outputs)
    return outputs


def _with_final_paths(judgement: Judgement, paths: ConversionPaths) -> Judgement:
    def with_final_paths(problem: Problem) -> Problem:
        return replace(problem, message=paths.with_final_paths(problem.message))

    incomplete = with_final_paths(judgement.incomplete_problem) if judgement.incomplete_problem else None
    return replace(judgement, problems=tuple(map(with_final_paths, judgement.problems)), incomplete_problem=incomplete)


def _log(converter: Converter, argv: Sequence[str], result: ProcessResult, series: Series, job: ConverterJob) -> str:
    """Return the log of an attempt. run_qa of QuNex reads the line with the count of files: every log has it once."""
    count = "" if _COUNT_LINE.search(result.stdout) else f"Found {series.files} DICOM file(s)\n"
    end = f"stopped: {result.stop_reason}" if result.stop_reason else f"exit status: {result.exit_status}"
    # Only the program's name: its location does not change the output, and differs between machines.
    printed_argv = ("python" if argv[0] == sys.executable else Path(argv[0]).name, *argv[1:]) if argv else ()
    command_line = shlex.join(printed_argv).replace(str(job.out), "<out>").replace(str(job.home), "<home>")
    output = result.stdout.replace(str(job.out), "<out>").replace(str(job.home), "<home>")
    output = output if not output or output.endswith("\n") else output + "\n"
    return f"{name_and_version(converter)}: {command_line}\n{count}{output}{end}\n"
