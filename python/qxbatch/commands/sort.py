"""`qxbatch sort`: sorts the inbox of sessions into their `dicom`; converts nothing."""

from collections.abc import Mapping
from dataclasses import replace

from qxbatch.commands.sessions import run_sessions, session_paths, settings_of
from qxbatch.discover.candidates import candidates_of_folders
from qxbatch.discover.folders import listed_folder
from qxbatch.model import Candidate
from qxbatch.settings.model import Settings, Stages


def run(options: Mapping[str, object]) -> int:
    """Sort the named sessions; return the exit status. Raises UsageError."""
    paths = session_paths(options["<session>"])
    settings = replace(settings_of(options, paths), stages=Stages.SORT)

    def find(settings: Settings) -> list[Candidate]:
        return candidates_of_folders([listed_folder(path) for path in paths], settings)

    return run_sessions(settings, find, json=bool(options["--json"]))
