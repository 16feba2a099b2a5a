"""The head of a log: version, command line, and the values of all options."""

import logging
import shlex
from collections.abc import Mapping, Sequence

from qxbatch.cli.messages import LOGGER_NAME
from qxbatch.settings.parameter import Parameter

_PACKET_OPTIONS = ("sessions", "packet")
"""Options whose values may contain names of packets, and therefore of patients."""
LEFT_OUT = "(left out, since this log is de-identified)"
"""Replaces the command and the values of _PACKET_OPTIONS."""


def log_head(
    command: Sequence[str], parameters: Sequence[Parameter], values: Mapping[str, str], *, deidentified: bool
) -> None:
    """Log the command, and each option with its value or its default.

    A de-identified log lacks the command, and the values of _PACKET_OPTIONS. A log contains no password: the value of
    --password-file is a path.
    """
    import platform

    from qxbatch.core import VERSION

    log = logging.getLogger(LOGGER_NAME)
    log.info("qxbatch %s, Python %s, %s", VERSION, platform.python_version(), platform.platform())
    log.info("command: %s", LEFT_OUT if deidentified else shlex.join(["qxbatch", *command]))
    for parameter in parameters:
        is_redacted = deidentified and parameter.name in _PACKET_OPTIONS and parameter.name in values
        value = LEFT_OUT if is_redacted else values.get(parameter.name, parameter.default)
        source = "" if parameter.name in values else " (default)"
        text = f"={value}{source}" if value else " is not given"
        log.info("option: %s%s", parameter.option, text)
