"""The head of a log: version, command line, and the options in force."""

import logging
import shlex
from collections.abc import Mapping, Sequence

from qxbatch.cli.messages import NAME
from qxbatch.settings.parameter import Parameter

_CHOICES_OF_PACKETS = ("sessions",)
"""Options that may contain names of packets, and so of patients."""
LEFT_OUT = "(left out, since this log is de-identified)"


def log_head(
    command: Sequence[str], parameters: Sequence[Parameter], given: Mapping[str, str], *, deidentified: bool
) -> None:
    """Log what was called, and each option with its value, which is the default where none was given.

    A de-identified log has the options instead of the command, without those that may name a patient. A password is never
    in it: it stands in a file, of which only the path is given.
    """
    import platform

    from qxbatch.core import VERSION

    log = logging.getLogger(NAME)
    log.info("qxbatch %s, Python %s, %s", VERSION, platform.python_version(), platform.platform())
    log.info("command: %s", LEFT_OUT if deidentified else shlex.join(["qxbatch", *command]))
    for parameter in parameters:
        hidden = deidentified and parameter.name in _CHOICES_OF_PACKETS and parameter.name in given
        value = LEFT_OUT if hidden else given.get(parameter.name, parameter.default)
        source = "" if parameter.name in given else " (default)"
        text = f"={value}{source}" if value else " is not given"
        log.info("option: %s%s", parameter.option, text)
