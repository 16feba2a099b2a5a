"""The scripts of jobs, and the script that submits them. The dependent job starts when all job arrays have ended."""

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from qxbatch.cluster.grouping import JobArray
from qxbatch.cluster.schedulers import Scheduler
from qxbatch.problems import UsageError
from qxbatch.settings.scheduler import SchedulerSpec

END_SECONDS = 3600
"""Time limit of the dependent job in seconds, unless --scheduler has `time`."""
END_MEMORY = 2 << 30
"""Bytes of memory of the dependent job, to which END_MEMORY_EACH is added for each unit, unless --scheduler has `mem`."""
END_MEMORY_EACH = 20_000
"""Bytes of memory for each unit of the submission: the page of the study shows its session (docs/scaling.md)."""
_NODE_VARIABLES = ("SLURM_CPUS_PER_TASK", "SLURM_MEM_PER_NODE", "SLURM_MEM_PER_CPU", "SLURM_TMPDIR", "TMPDIR")
"""Variables that are passed to a container, in addition to those that `Scheduler` names."""


TASK_VARIABLE = '"$task"'
"""Stands for the number of the task in a command: the shell variable that the script sets."""


class JobScript(NamedTuple):
    """One script to be submitted."""

    name: str
    """Name of the job."""
    log_folder: Path
    log_name: str
    """Name of its log in the folder; for an array, with the scheduler's placeholder of the index."""
    command: str
    """Shell words of the command; `$task` is the number of the task."""
    array: JobArray | None
    """None: the dependent job. An array with fewer than `Scheduler.min_array_size` tasks is submitted as a single job."""
    host_command: str = ""
    """Shell words of a command that runs before `command`, outside the container."""
    unit_count: int = 0
    """Number of units of the submission, from which the memory of the dependent job is computed."""


def script(scheduler: Scheduler, spec: SchedulerSpec, job: JobScript) -> str:
    """Return the script of a job. Raises UsageError if the scheduler cannot use the path of its log."""
    lines = ["#!/bin/bash", *(f"{scheduler.prefix} {directive}" for directive in _directives(scheduler, spec, job))]
    if job.array is not None:
        offset = job.array.first - (scheduler.first_index if _is_array(scheduler, job.array) else 0)
        index = f"${{{scheduler.index_variable}:-0}}" if _is_array(scheduler, job.array) else "0"
        lines.append(f"task=$(( {index} + {offset} ))")
    if job.host_command:
        lines.append(job.host_command)
    # exec replaces the shell: the signal that the scheduler sends before the time limit then reaches qxbatch
    return "\n".join([*lines, f"exec {job.command}"]) + "\n"


def _is_array(scheduler: Scheduler, array: JobArray) -> bool:
    return array.size >= scheduler.min_array_size


def _directives(scheduler: Scheduler, spec: SchedulerSpec, job: JobScript) -> list[str]:
    array = job.array
    seconds = spec.time or (END_SECONDS if array is None else array.seconds)
    mem = spec.mem or (END_MEMORY + END_MEMORY_EACH * job.unit_count if array is None else array.mem)
    values = {
        "name": job.name,
        "output": _path(scheduler, job.log_folder, job.log_name),
        "time": scheduler.format_time(seconds),
        "mem": "" if _requests_memory_per_cpu(spec) else scheduler.format_memory(mem),
        "cpus": "" if array is None else str(spec.cpus or 1),
        "partition": spec.partition,
        "account": spec.account,
    }
    directives = [scheduler.directives[key].format(value) for key, value in values.items() if value]
    if array is not None and _is_array(scheduler, array):
        directives = [
            directive for directive in directives if not _is_redundant_name(scheduler, directive)
        ] + _array_directives(scheduler, spec, job, array)
    directives += [_option_directive(scheduler, key, value) for key, value in spec.options]
    signal = [scheduler.signal_directive] if scheduler.signal_directive and array is not None else []
    return [*scheduler.common_directives, *directives, *signal]


_PLAIN = re.compile(r"[A-Za-z0-9_./,:@=+%-]+")


def _path(scheduler: Scheduler, folder: Path, name: str) -> str:
    """Return the path of a log for a directive. Raises UsageError if the scheduler cannot use it."""
    text = str(folder)
    plain = _PLAIN.fullmatch(text) is not None
    if "\n" in text or not (plain or scheduler.allows_quoted_paths):
        raise UsageError(
            f"{scheduler.name} cannot write its logs below {text!r}.",
            "Use a sessions folder whose path has no blanks and no special characters.",
        )
    for sign, instead in scheduler.log_path_escapes:
        text = text.replace(sign, instead)
    return f"{text}/{name}" if plain else f'"{text}/{name}"'


def _requests_memory_per_cpu(spec: SchedulerSpec) -> bool:
    """Return whether only an option such as --mem-per-cpu requests memory; then no directive requests it for a task."""
    return spec.mem is None and any(key.replace("-", "_").startswith("mem_per_") for key, _ in spec.options)


def _is_redundant_name(scheduler: Scheduler, directive: str) -> bool:
    """Return whether a directive only gives the name of the job, which the directive of the array contains, too."""
    return "{name}" in scheduler.directives["array"] and directive.startswith(
        scheduler.directives["name"].partition("{")[0]
    )


def _array_directives(scheduler: Scheduler, spec: SchedulerSpec, job: JobScript, array: JobArray) -> list[str]:
    """Return the directives of an array. The limit of tasks at once is a suffix of its directive (`%5`), or another directive."""
    throttle = "" if spec.throttle is None else scheduler.directives["throttle"].format(spec.throttle)
    suffix = throttle if throttle.startswith("%") else ""
    values = {"last": array.size - 1, "count": array.size, "name": job.name, "throttle": suffix}
    text = scheduler.directives["array"].format(**values)
    if suffix and "{throttle}" not in scheduler.directives["array"]:
        text += suffix
    return [text, *([throttle] if throttle and not suffix else [])]


def _option_directive(scheduler: Scheduler, key: str, value: str) -> str:
    """Return the directive of an option that is passed on; an option without a value is a flag."""
    text = scheduler.option_directive.format(
        key=key.replace("_", "-") if scheduler.prefix == "#SBATCH" else key, value=value
    )
    return text if value else re.sub(r"[= ]$", "", text)


def dependency(scheduler: Scheduler, ids: Sequence[str]) -> list[str]:
    """Return the words that start a job after these jobs have ended, with any status."""
    id_format, separator = scheduler.id_format_and_separator
    return [
        word.format(ids=separator.join(id_format.format(job) for job in ids)) for word in scheduler.dependency_words
    ]


def submission_script(scheduler: Scheduler, arrays: Mapping[str, Path], end: Path, jobs: Path, sums: str) -> str:
    """Return the shell script that submits these scripts and appends the ids of their jobs to the file `jobs`.

    `arrays` maps the number of each array to its script, `end` is the script of the dependent job. `sums` has the checksums of all
    scripts, as sha256sum reads them: if somebody changed a script meanwhile, none is submitted.
    """
    submit = shlex.join(scheduler.submit_command)
    feed = "<" if scheduler.script_on_stdin else ""
    jobs_file = shlex.quote(str(jobs))
    id_format, separator = scheduler.id_format_and_separator
    pattern = scheduler.job_id_pattern.removesuffix(".*")
    expression = f"s/{pattern}.*/\\1/p"
    sed = f"sed -nE {shlex.quote(expression)}"
    lines = ["#!/bin/bash", "set -eu -o pipefail", f"sha256sum --check --quiet << 'SUMS'\n{sums}SUMS", "ids="]
    for name, path in arrays.items():
        lines += [f"id=$({submit} {feed} {shlex.quote(str(path))} | {sed})", *_lines_to_record_job(name, jobs_file)]
        lines.append(f'ids="${{ids:+$ids{separator}}}{id_format.format("$id")}"')
    after = " ".join('"' + word.format(ids="$ids") + '"' for word in scheduler.dependency_words)
    lines += [f"id=$({submit} {after} {feed} {shlex.quote(str(end))} | {sed})", *_lines_to_record_job("end", jobs_file)]
    return "\n".join(lines) + "\n"


def _lines_to_record_job(name: str, jobs_file: str) -> list[str]:
    """Return shell lines that append the id in `$id` to the file of jobs.

    They end the script if there is no id, or if that file is a link.
    """
    return ['[ -n "$id" ]', f"[ ! -L {jobs_file} ]", f'echo "{name} $id" >> {jobs_file}']


def shell_word_of_task(word: str) -> str:
    """Return a word quoted for a shell, which still expands TASK_VARIABLE at its end."""
    before, variable, _ = word.partition(TASK_VARIABLE)
    return shlex.quote(before) + variable


def in_container(scheduler: Scheduler, image: Path, binds: Sequence[Path], words: Sequence[str]) -> str:
    """Return shell words that run a command in the image, with these folders and files bound to the same paths."""
    names = dict.fromkeys(
        (
            *scheduler.job_variables,
            scheduler.index_variable,
            *scheduler.cpu_variables,
            *(n for n, _ in scheduler.memory_variables),
            *_NODE_VARIABLES,
        )
    )
    variables = " ".join(f'${{{name}:+--env "{name}=${name}"}}' for name in names)
    bind_options = shlex.join(word for path in binds for word in ("--bind", f"{path}:{path}"))
    scratch = ' ${SLURM_TMPDIR:+--bind "$SLURM_TMPDIR"} ${TMPDIR:+--bind "$TMPDIR"}'
    program = '"$(command -v apptainer || command -v singularity)"'
    command = " ".join(map(shell_word_of_task, words))
    return (
        f"{program} exec --cleanenv --no-home {bind_options}{scratch} {variables} {shlex.quote(str(image))} {command}"
    )
