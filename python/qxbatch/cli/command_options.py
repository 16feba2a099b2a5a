"""Options of the commands: options of an import, some with another meaning, and options that an import does not have.

Like qxbatch.cli.commands, this module imports nothing slow.
"""

from qxbatch.settings.of_cluster import OF_CLUSTER
from qxbatch.settings.parameter import Form, Group, Parameter, find
from qxbatch.settings.parameters import LIMIT_NAMES, PARAMETERS

N_PROCS = find(PARAMETERS, "n_procs")


def switch(name: str, meaning: str) -> Parameter:
    """Return an option without value for a command."""
    return Parameter(name, meaning, group=Group.RUN, form=Form.SWITCH)


def import_options(*names: str) -> tuple[Parameter, ...]:
    """Return parameters of an import that have the same meaning in a command."""
    return tuple(find(PARAMETERS, name) for name in names)


def with_meaning(name: str, meaning: str, default: str = "") -> Parameter:
    """Return a parameter of an import that has another meaning in a command, and this default; empty: none."""
    return find(PARAMETERS, name).with_meaning(meaning, default)


def without_words(name: str, words: str) -> Parameter:
    """Return a parameter of an import without some words of its meaning that do not apply to a command."""
    parameter = find(PARAMETERS, name)
    return parameter.with_meaning(parameter.meaning.replace(words, ""), parameter.default)


_LIMITS_OF_ONE_PACKET = {
    "max_total": without_words("max_total", "s of one session"),
    "max_members": with_meaning(
        "max_members",
        "Maximum number of members of the packet, including those of archives inside it.",
        find(PARAMETERS, "max_members").default,
    ),
}
"""Limits that count one packet in these commands; in an import, they count all packets of a session."""
LIMITS = tuple(_LIMITS_OF_ONE_PACKET.get(name, find(PARAMETERS, name)) for name in LIMIT_NAMES)
"""The limits of commands that read packets without an import; the defaults are those of an import."""
LOG_FILE = without_words("log_file", " (not the table, `--logfile`)")
DEIDENTIFY_LOGS = without_words("deidentify_logs", " `--logfile` implies this.")
LIST_ALL = with_meaning(
    "list_all",
    "List every session and message, before and after the work. Without it, a long list is shortened to a count.",
)
CHECK_SESSIONS = with_meaning(
    "check",
    "`yes`: ask before the work; `no`: do not ask; `any`: do not ask, and end with exit status 66 if no session is ready.",
    find(PARAMETERS, "check").default,
)
MIXED_SESSION = with_meaning(
    "on_mixed",
    "What to do with a session whose files are of several patients: refuse it, make one session, or one for each patient.",
    find(PARAMETERS, "on_mixed").default,
)
DAMAGED_SESSION = with_meaning(
    "on_damaged",
    "How to handle a session with damaged files: refuse it, or use the readable files.",
    find(PARAMETERS, "on_damaged").default,
)
VERBOSE_SESSIONS = with_meaning(
    "verbose",
    find(PARAMETERS, "verbose").meaning.replace("each packet", "each session"),
    find(PARAMETERS, "verbose").default,
)
REPORTS = (
    VERBOSE_SESSIONS,
    *import_options("quiet"),
    LIST_ALL,
    LOG_FILE,
    *import_options("json_file"),
    switch("json", "Print the run's summary as JSON."),
)
"""Options for the messages of commands that work on sessions."""

NAMEFORMAT_OF_FOLDERS = (
    "Regular expression that finds `subject_id` and, if there is one, `session_name` in the name of a session folder."
)

CHECK_WORKER = with_meaning(
    "check",
    "`any`: end with exit status 66 if the packet is missing or not ready; `yes` or `no`: end with 0 then. A worker never asks.",
    find(PARAMETERS, "check").default,
)
VERBOSE_WORKER = with_meaning("verbose", "Accepted, without effect.")
NOT_FOR_WORKER = ("sessionsfolder", "sessions", "participant_label", "session_label", "skip_bids_validator", "test")
"""Parameters of an import that a worker does not have. Most of them choose packets or folders, as --packet and <folder> do."""
WORKER = (
    Parameter(
        "packet",
        "The packet: its name in the inbox, or its session id.",
        group=Group.INPUT,
        metavar="NAME",
    ),
    *(
        {"check": CHECK_WORKER, "verbose": VERBOSE_WORKER}.get(parameter.name, parameter)
        for parameter in PARAMETERS
        if parameter not in OF_CLUSTER and parameter.name not in NOT_FOR_WORKER
    ),
    Parameter("submission", "For job scripts: the submission of this task.", group=Group.CLUSTER, metavar="ID"),
    Parameter("task", "For job scripts: the task.", group=Group.CLUSTER, metavar="N"),
)
"""All options of `qxbatch worker`."""
