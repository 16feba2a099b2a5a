"""Runs commands of the scheduler with a time limit, and without the variables of the current job."""

import os
import subprocess
from collections.abc import Sequence
from typing import NamedTuple

TIME_LIMIT = 60.0
"""Seconds after which a command has failed."""
_JOB_PREFIXES = ("SLURM_", "SBATCH_", "PBS_", "LSB_", "SGE_")
"""Beginnings of the names of variables of the current job, and of defaults of sbatch, which outrank the directives of a script."""
_CLIENT_SETTINGS = (
    "SLURM_CONF",
    "SLURM_CONF_SERVER",
    "SLURM_JWT",
    "LSB_DEFAULTPROJECT",
    "LSB_DEFAULTQUEUE",
    "LSB_ENVDIR",
    "SGE_ROOT",
    "SGE_CELL",
    "PBS_DEFAULT",
    "PBS_SERVER",
    "PBS_CONF_FILE",
)
"""Exceptions from _JOB_PREFIXES: the commands of the scheduler need them, or they are defaults that the script outranks."""


class Answer(NamedTuple):
    """The result of a command."""

    status: int | None
    """None: the command does not exist. Negative, such as -9: the signal 9 ended it."""
    out: str = ""
    err: str = ""

    @property
    def reason(self) -> str:
        """Return the last line that a failed command printed, else its exit status."""
        lines = [line.strip() for line in (self.err.strip() or self.out).splitlines() if line.strip()]
        return lines[-1] if lines else f"exit status {self.status}"


def run_scheduler_command(words: Sequence[str], *, stdin: str | None = None, seconds: float = TIME_LIMIT) -> Answer:
    """Run a command of the scheduler.

    The status of the answer is None if the command does not exist, and 1 if it cannot be run or exceeds `seconds`.

    Variables of the current job are removed, since a job that is submitted from it would inherit its requests for resources, and
    defaults of sbatch (SBATCH_...), since they would replace what the script requests.
    """
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(_JOB_PREFIXES) or key in _CLIENT_SETTINGS
    }
    try:
        completed = subprocess.run(
            list(words),
            input="" if stdin is None else stdin,
            capture_output=True,
            check=False,
            text=True,
            errors="backslashreplace",
            timeout=seconds,
            env=environment,
        )
    except FileNotFoundError:
        return Answer(None, err=f"there is no command {words[0]}")
    except subprocess.TimeoutExpired:
        return Answer(1, err=f"{words[0]} did not answer in {seconds:.0f} s")
    except OSError as error:
        return Answer(1, err=f"{words[0]}: {error.strerror}")
    return Answer(completed.returncode, completed.stdout, completed.stderr)
