"""Options of QuNex that an import does not have, and what replaces them."""

_SCRIPT = "Put these commands into the script that calls qxbatch, before or after the call."
_PARALLEL = "One run imports sessions in parallel: --n-procs=N bounds all threads, --parelements=N the converters."
_CONTAINER = "--container=FILE binds the folders of a run itself; docs/containers.md has other calls."
_LOG = "--log-file=FILE keeps the messages of a run; the logs of converters are in each session's dicom folder."
_FOLDER = "The sessions folder is the first word, or --sessionsfolder=DIR."

ADVICE_BY_QUNEX_OPTION = {
    "bash": _SCRIPT,
    "bash_pre": _SCRIPT,
    "bash_post": _SCRIPT,
    "bash_prologue": _SCRIPT,
    "scheduler_environment": "Set variables before the call: jobs get the environment of the shell that submits them.",
    "parjobs": "--scheduler=SLURM,throttle=N bounds the tasks that run at once; within a run, --n-procs=N bounds all threads.",
    "parsessions": _PARALLEL,
    "parsubjects": _PARALLEL,
    "cores": _PARALLEL,
    "bind": _CONTAINER,
    "logfolder": _LOG,
    "runlogfolder": _LOG,
    "comlogfolder": _LOG,
    "log": _LOG,
    "studyfolder": _FOLDER,
    "subjectsfolder": _FOLDER,
    "subjects": "The packets to import are chosen with --sessions.",
    "sfilter": "The packets to import are chosen with --sessions.",
    "batchfile": "An import reads no batch file; --logfile names a table of packets.",
    "parameterfolder": "--config=FILE names a TOML file of parameters.",
}
"""Maps the name of an option, with underscores, to advice."""
