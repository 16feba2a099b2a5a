"""The commands and their grammar. The help of an import lists them, so this module imports nothing slow."""

from qxbatch.cli.command_options import (
    CHECK_SESSIONS,
    DAMAGED_SESSION,
    DEIDENTIFY_LOGS,
    LIMITS,
    LOG_FILE,
    MIXED_SESSION,
    N_PROCS,
    NAMEFORMAT_OF_FOLDERS,
    REPORTS,
    WORKER,
    import_options,
    switch,
    with_meaning,
)
from qxbatch.settings.of_cluster import OF_CLUSTER
from qxbatch.settings.parameter import Form, Group, Parameter, find
from qxbatch.settings.parameters import LIMIT_NAMES, PARAMETERS


class Command:
    """One command. Its module is `qxbatch.commands.<name>` with `run(options) -> int`."""

    def __init__(
        self,
        summary: str,
        usage: tuple[str, ...],
        parameters: tuple[Parameter, ...],
        *,
        word_choices: dict[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.summary = summary
        self.usage = usage
        """What follows `qxbatch`, a line for each form."""
        self.parameters = parameters
        self.word_choices = word_choices or {}
        """Maps each positional word that has few possible values to these values."""


COMMANDS: dict[str, Command] = {
    "scan": Command(
        "Lists the series in folders, files and archives.",
        ("scan <path>... [options]",),
        (
            switch("json", "Print JSON."),
            switch("tsv", "Print tab-separated values, a row for each series."),
            *import_options("password_file"),
            *LIMITS,
            N_PROCS,
        ),
    ),
    "inspect": Command(
        "Compares what was planned at the scanner with what was scanned, for each series of packets or sessions; prints a verdict.",
        ("inspect <path>... [options]",),
        (
            switch(
                "wide", "Show all acquisition facts (TR, matrix, volumes ...), not only those that fit into 80 columns."
            ),
            switch("json", "Print JSON with all facts."),
            switch(
                "update",
                "Compute the acquisition facts of sessions from their sorted DICOM, and store them. Nothing is converted.",
            ),
            with_meaning("test", "With --update: print what would be written. Nothing is written.", "no"),
            *import_options("join_series", "password_file"),
            Parameter(
                "work_dir",
                "Folder for temporary copies of DICOM headers from archives. Default: TMPDIR.",
                group=Group.RUN,
                metavar="DIR",
                short="-w",
            ),
            *LIMITS,
            N_PROCS,
        ),
    ),
    "sort": Command(
        "Sorts the files in each session's inbox into its dicom folder. Nothing is converted, and session.txt is not written.",
        ("sort <session>... [options]",),
        (
            *import_options("overwrite", "test"),
            CHECK_SESSIONS,
            with_meaning(
                "archive",
                "What to do with an archive in an inbox once its files are sorted and verified.",
                find(PARAMETERS, "archive").default,
            ),
            *import_options("gzip", "gzip_level", "unzip"),
            with_meaning("nameformat", NAMEFORMAT_OF_FOLDERS, find(PARAMETERS, "nameformat").default),
            MIXED_SESSION,
            DAMAGED_SESSION,
            *import_options("join_series", *LIMIT_NAMES, "password_file", "n_procs", "work_dir"),
            DEIDENTIFY_LOGS,
            *REPORTS,
        ),
    ),
    "convert": Command(
        "Converts the sorted DICOM of sessions and writes session.txt. The sessions may be from another program.",
        ("convert <session>... [options]",),
        (
            *import_options("overwrite", "test"),
            CHECK_SESSIONS,
            *import_options("tool", "fallback", "dicm2nii_dir", "parelements", "n_procs", "mem", "timeout"),
            *import_options("add_image_type", "add_json_info", "path_map"),
            with_meaning(
                "nameformat",
                f"{NAMEFORMAT_OF_FOLDERS} Without it, the session keeps its recorded subject.",
            ),
            *import_options("unzip"),
            with_meaning(
                "protocol", "Protocol (TOML) that each converted session is compared with; differences are warnings."
            ),
            Parameter(
                "gzip",
                "How DICOM is kept: a tar.gz for each series, a .gz for each file, or not compressed. "
                "Without this option, the form in the session does not change.",
                group=Group.OUTPUT,
                choices=("folder", "file", "no"),
            ),
            *import_options("gzip_level"),
            MIXED_SESSION,
            DAMAGED_SESSION,
            *import_options("join_series", *LIMIT_NAMES, "work_dir"),
            DEIDENTIFY_LOGS,
            *REPORTS,
        ),
    ),
    "split": Command(
        "Splits a folder or archive of several patients or studies into one folder for each study. The source is not changed.",
        ("split <path> [options]",),
        (
            Parameter(
                "output",
                "Folder in which the new folders are written. Default: NAME_split beside the source.",
                group=Group.OUTPUT,
                metavar="DIR",
            ),
            *import_options("test", "password_file"),
            *LIMITS,
            *import_options("n_procs"),
            switch("json", "Print JSON."),
        ),
    ),
    "verify": Command(
        "Checks sessions, or all in a sessions folder, against their ledgers. Nothing is written.",
        ("verify <session>... [options]",),
        (switch("json", "Print JSON."), N_PROCS),
    ),
    "report": Command(
        "Writes the report.html of sessions again; for a sessions folder also the report of the study.",
        ("report <folder>... [options]",),
        (*import_options("test"), switch("json", "Print JSON.")),
    ),
    "protocol": Command(
        "Proposes a protocol from the majority of sessions (learn), or lists what differs from one (check).",
        ("protocol <action> <sessionsfolder> [options]",),
        (
            Parameter(
                "output",
                "learn: file to write, for example protocol.toml. Needed without --test.",
                group=Group.OUTPUT,
                metavar="FILE",
            ),
            Parameter(
                "overwrite",
                "learn: whether an existing file is replaced.",
                group=Group.OUTPUT,
                default="no",
                choices=("yes", "no"),
                form=Form.YES_NO,
            ),
            Parameter(
                "test",
                "learn: print the protocol and write nothing; --output is not needed.",
                group=Group.OUTPUT,
                default="no",
                choices=("yes", "no"),
                form=Form.YES_NO,
            ),
            Parameter("protocol", "check: protocol to compare the sessions with.", group=Group.INPUT, metavar="FILE"),
            switch("json", "check: print JSON."),
        ),
        word_choices={"action": ("learn", "check")},
    ),
    "bids": Command(
        "Exports sessions to a BIDS data set, by a rule file that decides every series.",
        ("bids <sessionsfolder> <bidsdir> [options]",),
        (
            Parameter("rules", "Rule file (docs/bids.md).", group=Group.INPUT, metavar="FILE"),
            Parameter(
                "init", "Propose a rule file from the sessions; nothing is exported.", group=Group.INPUT, metavar="FILE"
            ),
            Parameter(
                "plan",
                "Without a value: print the path of every image as a table; nothing is exported. "
                "With =FILE (not after a space): read such a table from FILE, and export by it.",
                group=Group.INPUT,
                metavar="FILE",
                form=Form.YES_NO,
            ),
            Parameter(
                "explain",
                "Print which rule decides a series, and why the others do not. SERIES is the scanner's series number, or "
                "`n70` for the series in dicom/70.",
                group=Group.INPUT,
                metavar="SESSION SERIES",
                form=Form.SEVERAL_VALUES,
            ),
            Parameter("sessions", "Sessions to export: globs, separated by commas.", group=Group.INPUT, metavar="LIST"),
            *import_options("test"),
            switch("validate", "Run the official BIDS validator on the data set; it needs no internet."),
            Parameter(
                "link",
                "How images get into the data set (docs/bids-export.md).",
                group=Group.OUTPUT,
                default="auto",
                choices=("auto", "reflink", "hard", "copy", "symlink"),
            ),
            Parameter(
                "intended_for",
                "How IntendedFor names images: as BIDS URIs, or as paths relative to the folder of the subject.",
                group=Group.OUTPUT,
                default="uri",
                choices=("uri", "path"),
            ),
            switch("sourcedata", "Place the sorted DICOM of exported series in sourcedata."),
            switch(
                "shift_dates",
                "Move the dates of each subject by a random number of days, which is stored outside of the data set.",
            ),
            Parameter(
                "shift_table",
                "Table of the numbers of days by which `--shift-dates` moves dates.",
                group=Group.OUTPUT,
                default="<sessionsfolder>/bids-date-shifts.tsv",
                metavar="FILE",
            ),
            with_meaning(
                "logfile",
                "Table of the import, from which `--participant-columns` are copied into participants.tsv: "
                "`path:FILE|packet_name:COLUMN|subject_id:COLUMN[|session_name:COLUMN]`.",
            ),
            Parameter(
                "participant_columns",
                "Columns of the table of `--logfile` that are copied into participants.tsv.",
                group=Group.INPUT,
                metavar="LIST",
            ),
            switch(
                "keep_identifying",
                "Keep fields of sidecars that identify a person or an examination. dcm2niix writes no such fields.",
            ),
            Parameter(
                "overwrite",
                "With --init: whether an existing file is replaced.",
                group=Group.OUTPUT,
                default="no",
                choices=("yes", "no"),
                form=Form.YES_NO,
            ),
            switch("json", "Print JSON."),
        ),
    ),
    "regress": Command(
        "Imports regression sets (packets with recorded results) again, and compares the results with the recorded ones.",
        ("regress <folder>... [options]",),
        (
            switch(
                "update",
                "Record the results of sets that have none recorded, or whose results differ from the recorded ones.",
            ),
            switch("quick", "Only sets whose packets have up to 16 MiB in total."),
            N_PROCS,
            switch("json", "Print JSON."),
        ),
    ),
    "doctor": Command(
        "Lists what is installed, with version and path, and what is missing for which task.",
        ("doctor [options]",),
        (*import_options("dicm2nii_dir"), switch("json", "Print JSON.")),
    ),
    "demo": Command(
        "Makes a small study of real scans in a folder that is empty or new (default: qxbatch-demo), and imports it.",
        ("demo [<folder>] [options]",),
        (
            switch("packets_only", "Only make the packets; nothing is imported."),
            with_meaning("archive", "What to do with a packet after its import.", find(PARAMETERS, "archive").default),
            *import_options("gzip", "path_map", "n_procs", "quiet", "list_all"),
            LOG_FILE,
            *import_options("json_file"),
        ),
    ),
    "worker": Command(
        "Imports one packet, or with --on-same-session=merge all packets of its session, for workflow engines; --packet is "
        "required. The arguments are the sessions folder, or <data> <output> participant (BIDS-App form). The exit status is also "
        "0 if the packet was imported before. The packets of other sessions and the report of the study are left alone.",
        ("worker <folder>... [options]",),
        WORKER,
    ),
    "jobs": Command(
        "Shows the state of each packet submitted to a cluster: waiting, running, done, failed or lost (the job ended without a "
        "result).",
        ("jobs <sessionsfolder> [options]",),
        (
            switch("json", "Print JSON."),
            with_meaning("list_all", "List every packet. Without it, a long list is shortened to a count."),
        ),
    ),
    "resume": Command(
        "Resubmits packets whose cluster job ended without a result (killed, cancelled, out of time or memory).",
        ("resume <sessionsfolder> [options]",),
        (
            switch("failed", "Also submit packets whose import failed."),
            find(OF_CLUSTER, "scheduler").with_meaning(
                "The scheduler and the options to change, like `SLURM,time=08:00:00`. Other options stay as submitted.",
                "",
            ),
            *(parameter for parameter in OF_CLUSTER if parameter.name not in ("scheduler", "container")),
            *import_options("quiet"),
        ),
    ),
    "cancel": Command(
        "Cancels submitted jobs that wait or run.",
        ("cancel <sessionsfolder> [options]",),
        (*import_options("quiet"),),
    ),
}
"""The commands by name, in the order of the help."""


def command_summaries() -> tuple[tuple[str, str], ...]:
    """Return (name, summary) of the commands."""
    return tuple((name, command.summary) for name, command in COMMANDS.items())
