"""An import with `--scheduler`: discovery is the same, and ready packets are submitted."""

import sys
from collections.abc import Mapping
from contextlib import nullcontext, redirect_stdout

from qxbatch.cluster.batch import ClusterSubmitter
from qxbatch.cluster.schedulers import SCHEDULERS
from qxbatch.cluster.submit import need_command
from qxbatch.pipeline.run import run as run_pipeline
from qxbatch.pipeline.run_resources import need_converters
from qxbatch.settings.model import Settings


def run(settings: Settings, options: Mapping[str, str]) -> int:
    """Submit ready packets; return the exit status, with --wait that of the jobs.

    `options` are all given options, also those of a config file.

    Raises UsageError, OSError and KeyboardInterrupt.
    """
    spec = settings.scheduler
    assert spec is not None
    if not (settings.print_script or settings.test):
        need_command(SCHEDULERS[spec.name])
    if settings.container is None and not settings.test:
        need_converters(settings)
    stdout = sys.stdout
    submitter = ClusterSubmitter(spec, options, stdout.write)
    with redirect_stdout(sys.stderr) if settings.print_script else nullcontext():  # stdout gets only the script
        status = run_pipeline(settings, submitter=submitter)
    if submitter.submission_id and settings.wait and not settings.print_script:
        from qxbatch.cluster.follow import follow

        return follow(settings, [submitter.submission_id])
    return status
