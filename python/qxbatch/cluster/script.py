"""The scripts of jobs, and the script that submits them."""

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from qxbatch.cluster.grouping import Array
from qxbatch.cluster.schedulers import Scheduler
from qxbatch.problems import UsageError
from qxbatch.settings.scheduler import SchedulerSpec

END_SECONDS = 3600
END_MEMORY = 2 << 30
END_MEMORY_EACH = 20_000
"""Bytes of a session in the study level (docs/scaling.md)."""
_PASSED = ("SLURM_CPUS_PER_TASK", "SLURM_MEM_PER_NODE", "SLURM_MEM_PER_CPU", "SLURM_TMPDIR", "TMPDIR")
"""Variables that a container is given, besides those of the scheduler's table."""


TASK = '"$task"'
"""The number of the task, in the words of a command."""


class Job(NamedTuple):
    """One script to be submitted."""

    name: str
    """Of its job."""
    logs: Path
    """Folder of its logs."""
    log: str
    """Name of its log."""
    command: str
    """Shell words that do the work; `$task` is the number of the task."""
    array: Array | None
    """None: a single job."""
    host_command: str = ""
    """Shell words that are run before it, outside of a container."""
    units: int = 0
    """Of the submission, for the dependent job."""


def script(scheduler: Scheduler, spec: SchedulerSpec, job: Job) -> str:
    """Return the script of a job."""
    lines = ["#!/bin/bash", *(f"{scheduler.prefix} {each}" for each in _directives(scheduler, spec, job))]
    if job.array is not None:
        first = job.array.first - (scheduler.first if _is_array(scheduler, job.array) else 0)
        index = f"${{{scheduler.index_variable}:-0}}" if _is_array(scheduler, job.array) else "0"
        lines.append(f"task=$(( {index} + {first} ))")
    if job.host_command:
        lines.append(job.host_command)
    # exec: the signal before the time limit reaches the work itself, not a shell that would end without it
    return "\n".join([*lines, f"exec {job.command}"]) + "\n"


def _is_array(scheduler: Scheduler, array: Array) -> bool:
    return array.size >= scheduler.least_array


def _directives(scheduler: Scheduler, spec: SchedulerSpec, job: Job) -> list[str]:
    array = job.array
    seconds = spec.time or (END_SECONDS if array is None else array.seconds)
    mem = spec.mem or (END_MEMORY + END_MEMORY_EACH * job.units if array is None else array.mem)
    values = {
        "name": job.name,
        "output": _path(scheduler, job.logs, job.log),
        "time": scheduler.time(seconds),
        "mem": "" if _asks_memory(spec) else scheduler.mem(mem),
        "cpus": "" if array is None else str(spec.cpus or 1),
        "partition": spec.partition,
        "account": spec.account,
    }
    found = [scheduler.fields[key].format(value) for key, value in values.items() if value]
    if array is not None and _is_array(scheduler, array):
        found = [each for each in found if not _replaced_by_array(scheduler, each)] + _array(
            scheduler, spec, job, array
        )
    found += [_other(scheduler, key, value) for key, value in spec.options]
    before = [scheduler.before_end] if scheduler.before_end and array is not None else []
    return [*scheduler.fixed, *found, *before]


_PLAIN = re.compile(r"[A-Za-z0-9_./,:@=+%-]+")


def _path(scheduler: Scheduler, folder: Path, name: str) -> str:
    """Return the path of a log as a directive has it. Raises UsageError where the scheduler cannot have it."""
    text = str(folder)
    plain = _PLAIN.fullmatch(text) is not None
    if "\n" in text or not (plain or scheduler.quoted):
        raise UsageError(
            f"{scheduler.name} cannot write its logs below {text!r}.", "Use a sessions folder without blanks and signs."
        )
    for sign, instead in scheduler.escaped:
        text = text.replace(sign, instead)
    return f"{text}/{name}" if plain else f'"{text}/{name}"'


def _asks_memory(spec: SchedulerSpec) -> bool:
    """Whether memory is requested in another way, which excludes this one."""
    return spec.mem is None and any(key.replace("-", "_").startswith("mem_per_") for key, _ in spec.options)


def _replaced_by_array(scheduler: Scheduler, directive: str) -> bool:
    """Whether the array's directive contains the name, which then is given once."""
    return "{name}" in scheduler.fields["array"] and directive.startswith(scheduler.fields["name"].partition("{")[0])


def _array(scheduler: Scheduler, spec: SchedulerSpec, job: Job, array: Array) -> list[str]:
    throttle = "" if spec.throttle is None else scheduler.fields["throttle"].format(spec.throttle)
    inside = throttle if throttle.startswith("%") else ""
    values = {"last": array.size - 1, "count": array.size, "name": job.name, "throttle": inside}
    text = scheduler.fields["array"].format(**values)
    if inside and "{throttle}" not in scheduler.fields["array"]:
        text += inside
    return [text, *([throttle] if throttle and not inside else [])]


def _other(scheduler: Scheduler, key: str, value: str) -> str:
    """Return an option that is passed on; one without a value is a flag."""
    text = scheduler.other.format(key=key.replace("_", "-") if scheduler.prefix == "#SBATCH" else key, value=value)
    return text if value else re.sub(r"[= ]$", "", text)


def dependency(scheduler: Scheduler, ids: Sequence[str]) -> list[str]:
    """Return the words that let a job begin when these have ended, however they ended."""
    one, between = scheduler.ids
    return [word.format(ids=between.join(one.format(each) for each in ids)) for word in scheduler.after]


def submitting(scheduler: Scheduler, arrays: Mapping[str, Path], end: Path, jobs: Path) -> str:
    """Return the shell script that submits these scripts and notes the ids of their jobs."""
    submit = shlex.join(scheduler.submit)
    feed = "<" if scheduler.script_on_stdin else ""
    noted = shlex.quote(str(jobs))
    one, between = scheduler.ids
    pattern = scheduler.job_id.removesuffix(".*")
    expression = f"s/{pattern}.*/\\1/p"
    found = f"sed -nE {shlex.quote(expression)}"
    lines = ["#!/bin/bash", "set -eu -o pipefail", "ids="]
    for name, path in arrays.items():
        lines += [f"id=$({submit} {feed} {shlex.quote(str(path))} | {found})", *_note(name, noted)]
        lines.append(f'ids="${{ids:+$ids{between}}}{one.format("$id")}"')
    after = " ".join('"' + word.format(ids="$ids") + '"' for word in scheduler.after)
    lines += [f"id=$({submit} {after} {feed} {shlex.quote(str(end))} | {found})", *_note("end", noted)]
    return "\n".join(lines) + "\n"


def _note(name: str, noted: str) -> list[str]:
    return ['[ -n "$id" ]', f'echo "{name} $id" >> {noted}']


def shell_part(word: str) -> str:
    """Quote a word for a shell; the variable of the task stays one."""
    before, variable, _ = word.partition(TASK)
    return shlex.quote(before) + variable


def in_container(scheduler: Scheduler, image: Path, binds: Sequence[Path], words: Sequence[str]) -> str:
    """Return shell words that run a command of the image, with these folders at the same paths."""
    names = dict.fromkeys(
        (*scheduler.job, scheduler.index_variable, *scheduler.cpus, *(n for n, _ in scheduler.memory), *_PASSED)
    )
    passed = " ".join(f'${{{name}:+--env "{name}=${name}"}}' for name in names)
    bound = shlex.join(word for path in binds for word in ("--bind", f"{path}:{path}"))
    scratch = ' ${SLURM_TMPDIR:+--bind "$SLURM_TMPDIR"} ${TMPDIR:+--bind "$TMPDIR"}'
    program = '"$(command -v apptainer || command -v singularity)"'
    command = " ".join(map(shell_part, words))
    return f"{program} exec --cleanenv --no-home {bound}{scratch} {passed} {shlex.quote(str(image))} {command}"
