"""Starts an import, here or on a cluster, or the group level of the BIDS-App form."""

import logging
import sys
from collections.abc import Sequence
from importlib import import_module

from qxbatch.cli.harm import refuse_harm
from qxbatch.cli.messages import LOGGER_NAME, set_up_messages
from qxbatch.cli.owner import owner_warning
from qxbatch.cli.request import read
from qxbatch.collecting import collect_seldom
from qxbatch.exits import ExitStatus
from qxbatch.os_error import reason_text
from qxbatch.problems import UsageError
from qxbatch.settings.model import Check, Settings
from qxbatch.settings.parse import parse


def start(words: Sequence[str]) -> int:
    """Run an import, or the group level; return the exit status. Raises UsageError."""
    request = read(words)
    from_file = _config(request.values["config"]) if "config" in request.values else {}
    parsed = parse({**from_file, **request.values}, bids_app=bool(request.level), on_command_line=request.values)
    settings = parsed.settings
    check_request(settings)
    set_up_messages(settings.quiet, settings.log_file, parsed.notes)
    if settings.log_file is not None:
        _log_head(words, {**from_file, **request.values}, settings)
    collect_seldom()
    if request.level == "group":
        return _group(settings)
    if settings.scheduler is None:
        _refuse_cluster_options(settings)
    prepare_sessionsfolder(settings)
    if settings.scheduler is not None:
        status: int = import_module("qxbatch.cluster.start").run(settings, {**from_file, **request.values})
    else:
        status = import_module("qxbatch.pipeline").run(settings)
    return status


def check_request(settings: Settings) -> None:
    """Raise UsageError if --check=yes has no terminal, or if the request would change data of the user (`refuse_harm`)."""
    if settings.check is Check.YES and not has_terminal():
        raise UsageError(
            "--check=yes asks before the work, and there is no terminal to answer at.",
            "Use --check=any, which fails if nothing is ready, or --check=no.",
        )
    refuse_harm(settings)


def _refuse_cluster_options(settings: Settings) -> None:
    """Raise UsageError for options that need --scheduler."""
    for is_given, option in (
        (settings.container is not None, "--container"),
        (settings.wait, "--wait"),
        (settings.print_script, "--print-script"),
    ):
        if is_given:
            raise UsageError(
                f"{option} needs --scheduler.",
                f"Write --scheduler=SLURM, or leave out {option} to import on this machine.",
            )


def _log_head(words: Sequence[str], values: dict[str, str], settings: Settings) -> None:
    from qxbatch.cli.log_head import log_head
    from qxbatch.settings.parameters import PARAMETERS

    log_head(words, PARAMETERS, values, deidentified=settings.deidentified)


def _config(path: str) -> dict[str, str]:
    from qxbatch.settings.config import read_config

    return read_config(path)


def prepare_sessionsfolder(settings: Settings) -> None:
    """Create the sessions folder, and warn if root writes into a folder of another user; with --test do neither.

    Raises UsageError, also if session.txt cannot contain the path.
    """
    from qxbatch.record.mapped_path import checked_outside_path

    folder = settings.sessionsfolder
    checked_outside_path(folder, settings.path_map)
    if settings.test:
        return
    warning = owner_warning(folder.absolute())
    if warning:
        logging.getLogger(LOGGER_NAME).warning(warning)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"The sessions folder {folder} cannot be created: {reason_text(error, folder)}.",
            "Name a folder that can be written.",
            ExitStatus.CANNOT_WRITE,
        ) from None


def has_terminal() -> bool:
    """Return whether stdin and stderr are terminals: the question is printed to stderr, the answer is read from stdin."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def _group(settings: Settings) -> int:
    """Run the group level of the BIDS-App form, which writes the study level (page and tables of the study)."""
    status: int = import_module("qxbatch.commands.group").run(settings)
    return status
