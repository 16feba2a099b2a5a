"""A study folder and runs of the command in it, as a user would run it."""

import contextlib
import hashlib
import io
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.build.command_server import run_module
from tests.build.packets import Kind, Tree, write_packet

TIME_LIMIT = 600


@dataclass(frozen=True)
class Run:
    """The result of a run."""

    status: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Return all output of the run."""
        return self.out + self.err


class Study:
    """A sessions folder with its inbox."""

    def __init__(self, root: Path) -> None:
        self.sessions = root / "study" / "sessions"
        self.inbox = self.sessions / "inbox" / "MR"
        self.archive = self.sessions / "archive" / "MR"
        self.inbox.mkdir(parents=True)

    def put(self, name: str, tree: Tree, kind: Kind = Kind.ZIP) -> Path:
        """Put a packet built from a tree into the inbox."""
        return write_packet(tree, self.inbox, name, kind)

    def put_bytes(self, name: str, data: bytes) -> Path:
        """Put a file into the inbox."""
        path = self.inbox / name
        path.write_bytes(data)
        return path

    def run(self, *args: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Run:
        """Run `qxbatch <sessions> ...` in a separate process, without a terminal."""
        return run_command(str(self.sessions), *args, env=env, cwd=cwd)

    def main(self, *args: str) -> Run:
        """Run the same in this process: faster, for tests that need no separate process."""
        return run_main(str(self.sessions), *args)

    def session(self, session: str) -> Path:
        """Return the folder of a session."""
        return self.sessions / session

    def session_names(self) -> list[str]:
        """Return the names of the folders beside inbox and archive, sorted, without hidden ones."""
        names = (path.name for path in self.sessions.iterdir() if path.is_dir())
        return sorted(name for name in names if name not in ("inbox", "archive") and not name.startswith("."))


def run_main(*args: str) -> Run:
    """Run `qxbatch ...` in this process."""
    from qxbatch.cli.main import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main([*args])
    return Run(int(status), out.getvalue(), err.getvalue())


def run_command(*args: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Run:
    """Run `qxbatch ...` in a separate process, without a terminal."""
    environment = {**os.environ, **(env or {})}
    return Run(*run_module("qxbatch", args, environment, cwd or Path.cwd(), TIME_LIMIT))


STUDY_LEVEL = ("report.html", "study.tsv", "study.json")


def snapshot(folder: Path) -> dict[str, str]:
    """Return relative path -> SHA-256 of a file, `-> target` of a link, `dir` of a folder; sorted by path.

    Files of the study level are omitted: they change with every run (tests/test_study_document.py).
    """
    entries = {}
    for path in sorted(folder.rglob("*")):
        if path.name in STUDY_LEVEL and path.parent.name != "qxbatch":
            continue
        kind = path.lstat().st_mode
        if stat.S_ISLNK(kind):
            value = f"-> {path.readlink()}"
        elif stat.S_ISDIR(kind):
            value = "dir"
        else:
            value = hashlib.sha256(path.read_bytes()).hexdigest()
        entries[path.relative_to(folder).as_posix()] = value
    return entries
