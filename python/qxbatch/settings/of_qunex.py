"""Options that a QuNex call has and an import has not, and what takes their place."""

_SCRIPT = "Put these commands into the script that calls qxbatch, before or after the call."
_PARALLEL = "One run imports sessions in parallel: --n-procs=N bounds all threads, --parelements=N the converters."
_CONTAINER = "Start the image with the container program itself: docs/containers.md has the calls."
_LOG = "--log-file=FILE keeps the messages of a run; the logs of converters are in each session's dicom folder."
_FOLDER = "The sessions folder is the first word, or --sessionsfolder=DIR."

OF_QUNEX = {
    "bash": _SCRIPT,
    "bash_pre": _SCRIPT,
    "bash_post": _SCRIPT,
    "bash_prologue": _SCRIPT,
    "scheduler": "Give the whole qxbatch call to the scheduler, for example: sbatch --cpus-per-task=4 --wrap='qxbatch DIR'.",
    "scheduler_environment": "Set variables in the job's script, before the call.",
    "parjobs": "Submit one job for each sessions folder; within a run, sessions are imported in parallel (--n-procs=N).",
    "parsessions": _PARALLEL,
    "parsubjects": _PARALLEL,
    "cores": _PARALLEL,
    "container": _CONTAINER,
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
"""Name with underscores to advice."""
