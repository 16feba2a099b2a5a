"""Parses the text of `--scheduler` into a typed request: a scheduler and its options."""

import re
from typing import Any, NamedTuple

from qxbatch.problems import UsageError
from qxbatch.settings.lists import split_list
from qxbatch.settings.values import size_of

SCHEDULERS = ("slurm", "pbs", "lsf", "sge")
ALIASES = {
    "cpus_per_task": "cpus",
    "walltime": "time",
    "memory": "mem",
    "queue": "partition",
    "jobname": "name",
    "job_name": "name",
}
"""Maps other names of options to the names here."""
SET_BY_SUBMISSION = (
    "array",
    "output",
    "error",
    "open_mode",
    "requeue",
    "no_requeue",
    "signal",
    "dependency",
    "wrap",
    "name",
    "parsable",
    "chdir",
)
"""Options that a submission sets itself, and options that would conflict with these, such as `no_requeue`."""
EXAMPLE = "SLURM,time=02:00:00,mem=8G,partition=main"
_TIME = re.compile(r"(?:(\d{1,9})-)?(\d{1,9})(?::(\d{1,9}))?(?::(\d{1,9}))?", re.ASCII)
MINUTE, HOUR, DAY = 60, 3600, 86400
"""In seconds."""


class SchedulerSpec(NamedTuple):
    """The request of `--scheduler`; options that are not given are None or empty, `minutes` has a default."""

    name: str
    """One of SCHEDULERS."""
    time: int | None = None
    """Seconds that a task may take."""
    mem: int | None = None
    """Bytes for a task."""
    cpus: int | None = None
    """CPUs for a task."""
    partition: str = ""
    """Partition or queue."""
    account: str = ""
    """Account to which the scheduler charges the jobs."""
    minutes: float = 5.0
    """Minutes of work of a task; packets are grouped into tasks of this length."""
    throttle: int | None = None
    """Maximum number of tasks of an array that run at once."""
    options: tuple[tuple[str, str], ...] = ()
    """Other options, passed to the scheduler as they are."""


def scheduler_spec(text: str, where: str = "--scheduler") -> SchedulerSpec:
    """Read `NAME,key=value,...`; `where` names the option in errors. Raises UsageError.

    >>> scheduler_spec("SLURM,time=02:00:00,mem=8G").time
    7200
    """
    if not text.isprintable():
        raise UsageError(f"{where}={text!r} has a line break or a control character.", "Remove it.")
    name, *items = split_list(text) or ("",)
    if name.casefold() not in SCHEDULERS:
        names = ", ".join(each.upper() for each in SCHEDULERS)
        raise UsageError(
            f"{where}={text}: {name!r} is not a known scheduler.", f"Begin with one of {names}: {where}={EXAMPLE}."
        )
    pairs = dict(_pair(where, text, item) for item in items)
    if len(pairs) < len(items):
        raise UsageError(f"{where}={text} gives an option twice.", "Give it once.")
    common = {key: pairs.pop(key) for key in COMMON_OPTIONS if key in pairs}
    spec = SchedulerSpec(name.casefold(), options=tuple(pairs.items()))
    values: dict[str, Any] = {key: _read_option(where, key, value) for key, value in common.items()}
    return spec._replace(**values)


def merged_scheduler_text(base: str, override: str) -> str:
    """Return a text of `--scheduler`: the name of `override`, and the options of both texts; those of `override` take precedence.

    If `override` has no name, the result has none either: `scheduler_spec` refuses it. Raises UsageError.
    """
    name, *items = split_list(override) or ("",)
    base_options = dict(_pair("--scheduler", base, item) for item in split_list(base)[1:])
    options = {**base_options, **dict(_pair("--scheduler", override, item) for item in items)}
    return ",".join([name, *(f"{key}={value}" if value else key for key, value in options.items())])


def _pair(where: str, text: str, item: str) -> tuple[str, str]:
    """Return name and value of an option. Case is ignored only in names that are known here: schedulers have `-l` and `-L`."""
    key, _, value = item.partition("=")
    name = key.strip().lstrip("-").replace("-", "_")
    if not name:
        raise UsageError(f"{where}={text} has an option without a name: {item!r}.", f"Write {where}={EXAMPLE}.")
    known_name = ALIASES.get(name.casefold(), name.casefold())
    if known_name in (*SET_BY_SUBMISSION, *COMMON_OPTIONS):
        name = known_name
    if name in SET_BY_SUBMISSION:
        raise UsageError(f"{where}={text}: the option {key.strip()} is set by qxbatch itself.", "Leave it out.")
    return (name, value.strip())


def seconds_of(where: str, text: str) -> int:
    """Return seconds from `MM`, `MM:SS`, `HH:MM:SS`, `D-HH`, `D-HH:MM` or `D-HH:MM:SS`, as Slurm reads times.

    Raises UsageError, also for 0 seconds.

    >>> [seconds_of("time", text) for text in ("90", "90:30", "02:00:00", "1-12", "1-00:30:00")]
    [5400, 5430, 7200, 129600, 88200]
    """
    match = _TIME.fullmatch(text)
    seconds = _seconds(*match.groups()) if match else 0
    if not seconds:
        raise UsageError(f"{where}={text} is not a time above 0.", "Write minutes, HH:MM:SS or D-HH:MM:SS.")
    return seconds


def _seconds(days: str | None, first: str, second: str | None, third: str | None) -> int:
    if days is not None:
        return int(days) * DAY + int(first) * HOUR + int(second or 0) * MINUTE + int(third or 0)
    if third is not None:
        return int(first) * HOUR + int(second or 0) * MINUTE + int(third)
    return int(first) * MINUTE + int(second or 0)


def _read_option(where: str, key: str, value: str) -> object:
    name = f"{where}: {key}"
    if key == "time":
        return seconds_of(name, value)
    if key == "mem":
        return size_of(name, value)
    if key in ("cpus", "throttle"):
        if not re.fullmatch(r"[1-9]\d{0,5}", value):
            raise UsageError(f"{name}={value} is not a whole number from 1 up.", f"Write {key}=4.")
        return int(value)
    if key == "minutes":
        if not re.fullmatch(r"\d{1,5}(\.\d+)?", value) or float(value) <= 0:
            raise UsageError(f"{name}={value} is not a number of minutes.", "Write minutes=5.")
        return float(value)
    if not value:
        raise UsageError(f"{name} has no value.", f"Write {key}=NAME.")
    return value


COMMON_OPTIONS = ("time", "mem", "cpus", "partition", "account", "minutes", "throttle")
"""Options with the same meaning for every scheduler."""
