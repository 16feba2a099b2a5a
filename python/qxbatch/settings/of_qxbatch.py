"""The parameters that the reference (QuNex `import_dicom`) does not have."""

from qxbatch.settings.parameter import Form, Group, Parameter

OF_QXBATCH = (
    Parameter(
        "fallback",
        "Converter to use if the one of `--tool` is missing.",
        group=Group.WORK,
        choices=("dcm2niix", "dcm2nii", "dicm2nii"),
    ),
    Parameter("dicm2nii_dir", "Folder of an installed dicm2nii.", group=Group.WORK, metavar="DIR"),
    Parameter(
        "n_procs",
        "Maximum number of threads and child processes (such as converters) at once; `all`: one for each CPU this process may use.",
        group=Group.RUN,
        default="all",
        metavar="N|all",
    ),
    Parameter(
        "mem",
        "Memory that the run and its child processes should stay below, like 8G or 500M; without a unit, megabytes.",
        group=Group.RUN,
        metavar="SIZE",
    ),
    Parameter(
        "on_mixed",
        "What to do with a packet of several patients: refuse it, make one session, or one for each patient.",
        group=Group.WORK,
        default="reject",
        choices=("reject", "merge", "split"),
    ),
    Parameter(
        "on_same_session",
        "What to do with several packets of one session: refuse them all, or make one session of them.",
        group=Group.WORK,
        default="reject",
        choices=("reject", "merge"),
    ),
    Parameter(
        "on_damaged",
        "How to handle a damaged packet: refuse it, or import the readable files.",
        group=Group.WORK,
        default="refuse",
        choices=("refuse", "keep"),
    ),
    Parameter(
        "join_series",
        "`auto`: join series that are parts of one scan (some exporters split a scan), if they meet "
        "strict rules (docs/numbers.md); `never`: keep them apart.",
        group=Group.WORK,
        default="auto",
        choices=("auto", "never"),
    ),
    Parameter(
        "protocol",
        "Protocol (TOML) that each imported session is compared with; differences are warnings.",
        group=Group.WORK,
        metavar="FILE",
    ),
    Parameter(
        "max_expansion",
        "Maximum ratio of unpacked to packed size of an archive, including archives inside it.",
        group=Group.WORK,
        default="1000",
        metavar="N",
    ),
    Parameter(
        "max_total",
        "Maximum unpacked size of the packets of one session, like 2T or 500G; without a unit, megabytes.",
        group=Group.WORK,
        default="1T",
        metavar="SIZE",
    ),
    Parameter(
        "max_members",
        "Maximum number of members of the packets of one session, including those of archives inside them.",
        group=Group.WORK,
        default="5000000",
        metavar="N",
    ),
    Parameter(
        "max_nesting",
        "Maximum depth of archives inside archives; deeper ones are kept unopened.",
        group=Group.WORK,
        default="5",
        metavar="N",
    ),
    Parameter(
        "password_file",
        "File of passwords for encrypted zip and 7z packets: one on each line, tried in this order.",
        group=Group.WORK,
        metavar="FILE",
    ),
    Parameter(
        "timeout",
        "Seconds that one conversion may take. Without it, the limit depends on the size of the series.",
        group=Group.WORK,
        metavar="SECONDS",
    ),
    Parameter(
        "settle",
        "A packet that changed less than this many seconds ago waits for the next run.",
        group=Group.INPUT,
        default="0",
        metavar="SECONDS",
    ),
    Parameter(
        "gzip_level",
        "Compression level of DICOM and images: 1 is fast, 9 is small. "
        "0 is level 2 for DICOM and level 1 for images, and reuses the compressed data of zip members.",
        group=Group.OUTPUT,
        default="0",
        metavar="0-9",
    ),
    Parameter(
        "path_map",
        "`HERE=OUTSIDE`: replaces HERE with OUTSIDE at the beginning of the paths in session.txt, "
        "so that they are valid outside of a container. Several are separated by commas.",
        group=Group.OUTPUT,
        metavar="LIST",
    ),
    Parameter(
        "deidentify_logs",
        "In file names, logs and reports, replace patients' ids and names by the session id. A part of a name is replaced "
        "as a separate word if it has at least 3 letters. Inside a longer word it is replaced only if it begins with a capital "
        "letter and has at least 4 letters, in some cases 5 (docs/guarantees.md has the rules). `--logfile` implies this.",
        group=Group.OUTPUT,
        form=Form.SWITCH,
    ),
    Parameter(
        "json_file",
        "File for the run's summary as JSON.",
        group=Group.OUTPUT,
        metavar="FILE",
    ),
    Parameter(
        "participant_label",
        "Only these subjects, with or without `sub-`. In the BIDS-App form, a packet named `sub-105_ses-1` is of subject 105.",
        group=Group.BIDS,
        metavar="LABELS",
        form=Form.SEVERAL_VALUES,
    ),
    Parameter(
        "session_label",
        "Only these sessions, with or without `ses-`.",
        group=Group.BIDS,
        metavar="LABELS",
        form=Form.SEVERAL_VALUES,
    ),
    Parameter(
        "skip_bids_validator",
        "Accepted because BIDS-Apps have it, and ignored: packets are not a BIDS data set.",
        group=Group.BIDS,
        form=Form.SWITCH,
    ),
    Parameter(
        "work_dir",
        "Folder for the unpacked files of a packet and the output of converters. They need about three times the packet's "
        "unpacked size. Without this option, they are in `.qxbatch` of the sessions folder.",
        group=Group.RUN,
        metavar="DIR",
        short="-w",
    ),
    Parameter(
        "config",
        "TOML file whose keys are the names of parameters; the command line overrides them.",
        group=Group.RUN,
        metavar="FILE",
    ),
    Parameter(
        "list_all",
        "List every packet and message, before and after the import. Without it, a long list is shortened to a count.",
        group=Group.RUN,
        form=Form.SWITCH,
    ),
    Parameter(
        "log_file",
        "File for the log of the run, with times (not the table, `--logfile`): options, packets, stages, converters, problems.",
        group=Group.RUN,
        metavar="FILE",
    ),
    Parameter(
        "quiet",
        "Print only warnings and errors.",
        group=Group.RUN,
        form=Form.SWITCH,
    ),
)
