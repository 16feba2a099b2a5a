"""`qxbatch demo`: creates a small study of real scans in a folder and imports it, as a first try."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from qxbatch.demo import MissingDataError, make_study, sessions_folder
from qxbatch.exits import ExitStatus
from qxbatch.os_error import error_text
from qxbatch.pipeline.run import run as run_import
from qxbatch.problems import UsageError
from qxbatch.record.mapped_path import checked_outside_path
from qxbatch.report.output_files import check_output_folder
from qxbatch.session.layout import ARCHIVED_PACKETS, MASTER_INBOX, PAGE
from qxbatch.session.paths import SessionPaths
from qxbatch.settings.command import option_word
from qxbatch.settings.model import Settings
from qxbatch.settings.parameters import PARAMETERS
from qxbatch.settings.parse import parse
from qxbatch.visible import one_line, shell_word

FOLDER = "qxbatch-demo"
"""The folder of the demo when none is named."""
EXAMPLE_SESSION = "OP101"
"""The session whose files are named at the end."""
_HINT = "Name a folder that is empty or does not exist: qxbatch demo DIR"


def run(options: Mapping[str, object]) -> int:
    """Create the packets, import them, and print what to look at; return the exit status. Raises UsageError."""
    try:
        folder = Path(os.path.realpath(str(options["<folder>"] or FOLDER)))
    except FileNotFoundError:
        raise UsageError("The working folder does not exist any more.", "Go to an existing folder.") from None
    settings = _settings(options, sessions_folder(folder))
    check_output_folder(folder, [])
    _must_be_empty(folder)
    _make(folder)
    command = _command(settings)
    print_text = _print_nothing if settings.quiet else _print
    print_text(f"Packets: {one_line(str(settings.masterinbox))}")
    if options["--packets-only"]:
        print_text(f"Import them with: {command}")
        return int(ExitStatus.OK)
    print_text(f"\n$ {command}")
    status = run_import(settings)
    print_text(_closing_text(settings.sessionsfolder))
    return status


def _print(text: str) -> None:
    print(text, flush=True)


def _print_nothing(_text: str) -> None:
    pass


def _settings(options: Mapping[str, object], sessions: Path) -> Settings:
    """Return the settings of the import, without writing a file. Raises UsageError."""
    values = {
        parameter.name: "yes" if options[parameter.option] is True else str(options[parameter.option])
        for parameter in PARAMETERS
        if options.get(parameter.option)
    }
    # the inbox does not exist yet: `/` replaces it for `parse`, which refuses a missing inbox
    settings = parse({**values, "masterinbox": "/"}, on_command_line=values).settings
    checked_outside_path(sessions, settings.path_map)
    inbox, archive = sessions / MASTER_INBOX, sessions / ARCHIVED_PACKETS
    return replace(settings, sessionsfolder=sessions, masterinbox=inbox, archive_folder=archive)


def _command(settings: Settings) -> str:
    """Return the command that does the import of the demo, with the options of this call."""
    options = [option_word(name, value) for name, value in settings.command_line if value]
    return one_line(" ".join(shell_word(word) for word in ("qxbatch", str(settings.sessionsfolder), *options)))


def _must_be_empty(folder: Path) -> None:
    """Raise UsageError if the folder exists and is not empty or cannot be read, or if it is not a folder."""
    if os.path.lexists(folder) and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder.", _HINT)
    try:
        if folder.is_dir() and any(folder.iterdir()):
            raise UsageError(f"The folder {folder} is not empty; nothing was changed.", _HINT)
    except OSError as error:
        raise UsageError(f"Cannot read {error_text(error, folder)}.", _HINT) from None


def _make(folder: Path) -> None:
    """Create the packets. Raises UsageError if that fails, or if pydicom, nibabel or their data are not installed."""
    try:
        make_study(folder)
    except MissingDataError as error:
        raise UsageError(str(error), "Nothing was created or imported.", ExitStatus.UNAVAILABLE) from None
    except OSError as error:
        text = f"The demo cannot be created: {error_text(error, folder)}."
        # the folder was empty: a name that is in use appeared after that
        hint = _HINT if isinstance(error, FileExistsError) else "Name a folder that can be written."
        raise UsageError(text, hint, ExitStatus.CANNOT_WRITE) from None


def _closing_text(sessions: Path) -> str:
    """Return the files to look at, and how to import other packets."""
    session = SessionPaths(sessions / EXAMPLE_SESSION)
    rows = (
        (sessions / PAGE, "the study; open it in a browser"),
        (session.page, "the pictures and facts of a session; open it in a browser"),
        (session.session_txt, "the images of the session by number and name"),
        (session.ledger, "where each file of the packet is now"),
    )
    lines = [line for path, meaning in rows for line in (f"  {one_line(str(path))}", f"      {meaning}")]
    return "\n".join(
        [
            "",
            "What to look at:",
            *lines,
            "",
            "For your own packets, put them into DIR/inbox/MR and run `qxbatch DIR`. `qxbatch --help` lists the options.",
        ]
    )
