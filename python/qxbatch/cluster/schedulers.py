"""The schedulers as tables: directives, and the commands that submit, query and cancel."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple


class Scheduler(NamedTuple):
    """A scheduler. Slurm was tested on a real installation, the others with recorded commands (docs/cluster.md)."""

    name: str
    submit_command: tuple[str, ...]
    """The command, before the dependency and the script."""
    script_on_stdin: bool
    """Whether the command reads the script from standard input; otherwise its path is an argument."""
    job_id_pattern: str
    """Regular expression (of sed -E, too) whose first group is the id in the output of the command."""
    prefix: str
    """Beginning of a directive."""
    common_directives: tuple[str, ...]
    """Directives of every job, such as requeue and append to the log."""
    directives: Mapping[str, str]
    """Directives by what they request (`time`, `mem`, ...), with `{}` for the value. In `array`, `{last}` is the last index,
    `{count}` the number of tasks, `{name}` the name of the job, and `{throttle}` the directive `throttle`, if it begins with `%`.
    """
    option_directive: str
    """Directive of any other option of the scheduler, with `{key}` and `{value}`."""
    signal_directive: str
    """Directive that sends SIGTERM before the time limit; empty if the scheduler has none."""
    dependency_words: tuple[str, ...]
    """Words that start a job after the end of others, with `{ids}`."""
    id_format_and_separator: tuple[str, str]
    """Format of one id in `dependency_words`, and the separator of ids."""
    index_variable: str
    """Variable with the index of a task of an array."""
    first_index: int
    """Index of the first task of an array."""
    log_index: str
    """Placeholder of the index in the path of a log."""
    log_path_escapes: tuple[tuple[str, str], ...]
    """Characters that are escaped in the path of a log, each with its escaped form."""
    allows_quoted_paths: bool
    """Whether a path with spaces may be quoted."""
    min_array_size: int
    """Minimum number of tasks of an array; fewer tasks are submitted as a single job."""
    max_array_size: int
    """Maximum number of tasks of an array, if the scheduler does not report its limit."""
    query_command: tuple[str, ...]
    """The command that lists waiting and running tasks, one on each line."""
    name_filter: str
    """Option that restricts the query to jobs of these names; empty if there is none."""
    line_pattern: str
    """Regular expression of a line: groups `job`, `index`, `state` and, unless `name_filter` chooses the jobs, `name`."""
    name_query: tuple[str, ...]
    """Command that shows the whole name of the job whose id follows: a list may shorten names."""
    name_pattern: str
    """Regular expression whose first group is the name in the output of `name_query`."""
    pending_states: tuple[str, ...]
    """States of jobs that wait."""
    ended_states: tuple[str, ...]
    """States of jobs that have ended."""
    no_jobs_error: str
    """Regular expression of the query's error message if there is no job; `(?!)`, which matches nothing, if it has none."""
    cancel_command: tuple[str, ...]
    """The command, before the id of the job."""
    cpu_variables: tuple[str, ...]
    """Variables with the CPUs of a task."""
    memory_variables: tuple[tuple[str, int], ...]
    """Variables with the memory of a task, and their unit in bytes."""
    job_variables: tuple[str, ...]
    """Variables with the id of a task's job; the first one that is set counts."""
    format_time: Callable[[int], str]
    """Formats seconds for the directive of the time."""
    format_memory: Callable[[int], str]
    """Formats bytes for the directive of the memory."""


def _hours_minutes_seconds(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _hours_minutes(seconds: int) -> str:
    minutes = -(-seconds // 60)
    return f"{minutes // 60}:{minutes % 60:02d}"


def _megabytes(unit: str) -> Callable[[int], str]:
    return lambda size: f"{-(-size // (1 << 20))}{unit}"


SLURM = Scheduler(
    name="SLURM",
    submit_command=("sbatch", "--parsable"),
    script_on_stdin=False,
    job_id_pattern=r"^([0-9]+)",
    prefix="#SBATCH",
    common_directives=("--requeue", "--open-mode=append"),
    directives={
        "name": "--job-name={}",
        "output": "--output={}",
        "time": "--time={}",
        "mem": "--mem={}",
        "cpus": "--cpus-per-task={}",
        "partition": "--partition={}",
        "account": "--account={}",
        "array": "--array=0-{last}",
        "throttle": "%{}",
    },
    option_directive="--{key}={value}",
    signal_directive="--signal=B:TERM@60",
    dependency_words=("--dependency=afterany:{ids}",),
    id_format_and_separator=("{}", ":"),
    index_variable="SLURM_ARRAY_TASK_ID",
    first_index=0,
    log_index="%a",
    log_path_escapes=(("\\", "\\\\"), ('"', '\\"'), ("%", "%%")),
    allows_quoted_paths=True,
    min_array_size=1,
    max_array_size=1001,
    query_command=("squeue", "--noheader", "--array", "--format=%F|%K|%T"),
    name_filter="--name={}",
    line_pattern=r"(?P<job>\d+)\|(?P<index>\d+|N/A)\|(?P<state>\w+)",
    name_query=("squeue", "--noheader", "--format=%j", "--jobs"),
    name_pattern=r"(?m)^(\S.*?)\s*$",
    pending_states=("PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT"),
    ended_states=("COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE"),
    no_jobs_error=r"(?!)",
    cancel_command=("scancel",),
    cpu_variables=("SLURM_CPUS_PER_TASK",),
    memory_variables=(("SLURM_MEM_PER_NODE", 1 << 20),),
    job_variables=("SLURM_ARRAY_JOB_ID", "SLURM_JOB_ID"),
    format_time=_hours_minutes_seconds,
    format_memory=_megabytes("M"),
)

PBS = Scheduler(
    name="PBS",
    submit_command=("qsub",),
    script_on_stdin=False,
    job_id_pattern=r"^([0-9]+(\[\])?[^ ]*)",
    prefix="#PBS",
    common_directives=("-r y", "-j oe", "-V"),
    directives={
        "name": "-N {}",
        "output": "-o {}",
        "time": "-l walltime={}",
        "mem": "-l mem={}",
        "cpus": "-l ncpus={}",
        "partition": "-q {}",
        "account": "-A {}",
        "array": "-J 0-{last}",
        "throttle": "%{}",
    },
    option_directive="-l {key}={value}",
    signal_directive="",
    dependency_words=("-W", "depend=afterany:{ids}"),
    id_format_and_separator=("{}", ":"),
    index_variable="PBS_ARRAY_INDEX",
    first_index=0,
    log_index="^array_index^",
    log_path_escapes=(),
    allows_quoted_paths=False,
    min_array_size=2,
    max_array_size=10000,
    query_command=("qstat", "-t"),
    name_filter="",
    line_pattern=r"(?P<job>\d+)(?:\[(?P<index>\d*)\])?\S*\s+(?P<name>\S+)\s+\S+\s+\S+\s+(?P<state>[A-Z])\s.*",
    name_query=("qstat", "-f"),
    name_pattern=r"(?m)^\s*Job_Name = (\S.*?)\s*$",
    pending_states=("Q", "H", "W", "T"),
    ended_states=("F", "X"),
    no_jobs_error=r"(?!)",
    cancel_command=("qdel",),
    cpu_variables=("NCPUS",),
    memory_variables=(),
    job_variables=("PBS_ARRAY_ID", "PBS_JOBID"),
    format_time=_hours_minutes_seconds,
    format_memory=_megabytes("mb"),
)

LSF = Scheduler(
    name="LSF",
    submit_command=("bsub",),
    script_on_stdin=True,
    job_id_pattern=r"^Job <([0-9]+)>.*",
    prefix="#BSUB",
    common_directives=("-r", '-R "span[hosts=1]"'),
    directives={
        "name": '-J "{}"',
        "output": "-o {}",
        "time": "-W {}",
        "mem": "-M {}",
        "cpus": "-n {}",
        "partition": "-q {}",
        "account": "-P {}",
        "array": '-J "{name}[1-{count}]{throttle}"',
        "throttle": "%{}",
    },
    option_directive="-{key} {value}",
    signal_directive="-wt 1 -wa TERM",
    dependency_words=("-w", "{ids}"),
    id_format_and_separator=("ended({})", " && "),
    index_variable="LSB_JOBINDEX",
    first_index=1,
    log_index="%I",
    log_path_escapes=(("%", "%%"),),
    allows_quoted_paths=True,
    min_array_size=1,
    max_array_size=1000,
    query_command=("bjobs", "-u", "all", "-noheader", "-o", "jobid jobindex stat job_name:80"),
    name_filter="",
    line_pattern=r"(?P<job>\d+)\s+(?P<index>\d+)\s+(?P<state>\w+)(?:\s+(?P<name>\S.*))?",
    name_query=("bjobs", "-noheader", "-o", "job_name:80"),
    name_pattern=r"(?m)^\s*(\S.*?)(?:\[[^\]]*\](?:%\d+)?)?\s*$",
    pending_states=("PEND", "PSUSP", "WAIT"),
    ended_states=("DONE", "EXIT"),
    no_jobs_error=r"No unfinished job found",
    cancel_command=("bkill",),
    cpu_variables=("LSB_DJOB_NUMPROC",),
    memory_variables=(),
    job_variables=("LSB_JOBID",),
    format_time=_hours_minutes,
    format_memory=_megabytes("MB"),
)

SGE = Scheduler(
    name="SGE",
    submit_command=("qsub", "-terse"),
    script_on_stdin=False,
    job_id_pattern=r"^([0-9]+).*",
    prefix="#$",
    common_directives=("-r y", "-j y", "-V", "-S /bin/bash"),
    directives={
        "name": "-N {}",
        "output": "-o {}",
        "time": "-l h_rt={}",
        "mem": "-l h_vmem={}",
        "cpus": "-pe smp {}",
        "partition": "-q {}",
        "account": "-P {}",
        "array": "-t 1-{count}",
        "throttle": "-tc {}",
    },
    option_directive="-l {key}={value}",
    signal_directive="",
    dependency_words=("-hold_jid", "{ids}"),
    id_format_and_separator=("{}", ","),
    index_variable="SGE_TASK_ID",
    first_index=1,
    log_index="$TASK_ID",
    log_path_escapes=(),
    allows_quoted_paths=False,
    min_array_size=1,
    max_array_size=75000,
    query_command=("qstat", "-u", "*", "-g", "d"),
    name_filter="",
    line_pattern=r"(?P<job>\d+)\s+\S+\s+(?P<name>\S+)\s+\S+\s+(?P<state>\w+)\s+\d\d/\d\d/\d{4}\s+\S+\s+(?:\S+@\S+\s+)?\d+(?:\s+(?P<index>\d+))?",
    name_query=("qstat", "-j"),
    name_pattern=r"(?m)^job_name:\s+(\S.*?)\s*$",
    pending_states=("qw", "hqw", "Rq", "Eqw"),
    ended_states=(),
    no_jobs_error=r"(?!)",
    cancel_command=("qdel",),
    cpu_variables=("NSLOTS",),
    memory_variables=(),
    job_variables=("JOB_ID",),
    format_time=_hours_minutes_seconds,
    format_memory=_megabytes("M"),
)

SCHEDULERS = {"slurm": SLURM, "pbs": PBS, "lsf": LSF, "sge": SGE}
"""By the name in `--scheduler`, in lower case."""


_ID = re.compile(r"0*[1-9][0-9]*(\[\])?([.][A-Za-z0-9._:-]+)?")


def is_job_id(text: str) -> bool:
    """Return whether a text is the id of a job. `bkill 0` cancels all jobs of a user, and `scancel -9` is an option.

    >>> [is_job_id(text) for text in ("17", "17[].server", "0", "-9", "17 18")]
    [True, True, False, False, False]
    """
    return _ID.fullmatch(text) is not None


def printed_id(scheduler: Scheduler, output: str) -> str:
    """Return the id of a submitted job from the output of the command; empty if the output does not contain one."""
    for line in output.splitlines():
        match = re.match(scheduler.job_id_pattern, line.strip())
        if match:
            return match[1]
    return ""
